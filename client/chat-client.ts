import type { ServerFrameOf } from "../protocol/frames.ts";
import { createApi } from "./api.ts";
import { ChatError } from "./chat-error.ts";
import { type Connection, createConnection } from "./connection.ts";
import { createEmitter } from "./emitter.ts";
import { choosePlatform } from "./platform.ts";
import type { ChatRoom } from "./room.ts";
import type { RoomHost } from "./room-inside.ts";
import { createRooms } from "./rooms.ts";
import { createTokenSource, type HeldTokens, type TokenSource, userOf } from "./tokens.ts";
import type {
  Channel,
  ChannelPage,
  ChatClientOptions,
  ChatLimits,
  ChatTokens,
  ClientEvents,
  ConnectionChange,
  ConnectionState,
  FixedTokenOptions,
  NewChannel,
  RoomPresence,
  Sent,
  Subscription,
} from "./types.ts";

const DEFAULT_LIMITS: ChatLimits = {
  messageMaxLength: 1_000,
  messageMaxBytes: 4_096,
  frameMaxBytes: 16_384,
  messagesPerWindow: 30,
  windowMs: 60_000,
};
const CATCH_UP_MAX = 2_000;

/**
 * One user's connection to a chat, and the rooms on it. It may be used before `connect()`: rooms can be joined and messages
 * sent, and wait.
 *
 * @example
 * const client = new ChatClient({ apiUrl: "https://chat.example.com", getToken: () => fetchTokens() });
 * const room = client.join("lobby");
 * room.on("change", ({ messages }) => render(messages));
 * await client.connect();
 */
export class ChatClient {
  readonly #options: Pick<ChatClientOptions, "apiUrl" | "wsUrl" | "storage">;
  readonly #tokens: TokenSource;
  readonly #host: RoomHost;
  readonly #rooms: ReturnType<typeof createRooms>;
  readonly #connection: Connection;
  readonly #firstRoom: string;
  #loading: Promise<void> | undefined;

  /** A client; nothing happens before `connect()`. */
  constructor(options: ChatClientOptions);
  /** A client that connects at once and joins a room, the lobby by default. */
  constructor(wsToken: string, roomId?: string, options?: Omit<FixedTokenOptions, "wsToken">);
  constructor(given: ChatClientOptions | string, roomId = "lobby", more: Omit<FixedTokenOptions, "wsToken"> = {}) {
    const options: ChatClientOptions = typeof given === "string" ? { ...more, wsToken: given } : given;
    const platform = choosePlatform(options.platform);
    const tokens = createTokenSource(options, platform);
    const host: RoomHost = {
      platform,
      api: createApi({
        platform,
        tokens,
        baseUrl: apiBase(options.apiUrl),
        unauthorized: (error) => this.#connection.unauthorized(error),
      }),
      events: createEmitter<ClientEvents>(),
      limits: DEFAULT_LIMITS,
      catchUpMax: options.catchUpMax ?? CATCH_UP_MAX,
      userId: undefined,
      kept: undefined,
      send: (frame) => this.#connection.send(frame),
    };
    const rooms = createRooms(host);
    this.#options = options;
    this.#tokens = tokens;
    this.#host = host;
    this.#rooms = rooms;
    this.#firstRoom = roomId;
    this.#connection = createConnection({
      host,
      tokens,
      prepare: (fresh) => this.#prepare(fresh),
      welcomed: (frame) => this.#welcomed(frame),
      hear: (frame) => rooms.hear(frame),
      lost: () => rooms.each((room) => room.lost()),
      tick: () => rooms.each((room) => room.tick()),
    });
    const userId = options.userId ?? (tokens.current && userOf(tokens.current));
    if (userId) this.#identify(userId);
    if (typeof given !== "string") return;
    this.join(roomId);
    void this.connect(); // what becomes of it is told as `connection`
  }

  /** Where the connection is; `on("connection")` tells of changes. */
  get connectionState(): ConnectionState {
    return this.connection.state;
  }

  /** The newest of those changes: besides the state when and why. The same object until the next. */
  get connection(): ConnectionChange {
    return this.#connection.change;
  }

  /** Who is signed in; undefined until a token has said so. */
  get userId(): string | undefined {
    return this.#host.userId;
  }

  /** What the server takes. */
  get limits(): ChatLimits {
    return this.#host.limits;
  }

  /** The rooms that are joined now, or as soon as there is a connection. */
  get rooms(): readonly ChatRoom[] {
    return this.#rooms.joined;
  }

  /** Registers for an event; `remove()` of what it returns takes that back. */
  on<Name extends keyof ClientEvents>(event: Name, listener: (event: ClientEvents[Name]) => void): Subscription {
    return this.#host.events.on(event, listener);
  }

  /**
   * Connects, and stays connected until `disconnect()` or a final refusal.
   *
   * @returns resolves at the first welcome, however long that takes; at once when connected already
   * @throws {ChatError} rejects when there is no use in trying on (how the server closed, `unauthorized`), and with
   *   `stopped` when `disconnect()` came first
   */
  connect(): Promise<void> {
    return this.#connection.open();
  }

  /** Ends the connection. Rooms stay joined and messages wait, for another `connect()`. */
  disconnect(): void {
    this.#connection.close();
    this.#host.kept?.flush();
  }

  /**
   * The room of that id: the same object for the same id. Joined now or as soon as there is a connection, until it has been
   * left as often as it was joined. One socket takes 50 rooms: another is `refused`, until one was left and it is joined
   * again.
   */
  join(roomId: string): ChatRoom {
    return this.#rooms.join(roomId);
  }

  /** Takes one `join` back, as `room.leave()` does. */
  leaveRoom(roomId: string): void {
    this.#rooms.leave(roomId);
  }

  /**
   * Goes on with these tokens: on the open connection, or by connecting again when it had stopped for want of them.
   *
   * @throws {ChatError} `bad_claims` when they are another user's: that takes another client
   */
  setTokens(tokens: Omit<ChatTokens, "token"> & Partial<Pick<ChatTokens, "token">>): void {
    this.#requireSame(tokens);
    this.#tokens.set(tokens);
    this.#connection.renewed(tokens);
  }

  /** Disconnects and forgets everything of this user's, on this device too: what is to be done at a sign-out. */
  async clear(): Promise<void> {
    this.#connection.close();
    this.#rooms.each((room) => room.clear());
    await this.#host.kept?.clear();
  }

  /** The caller's channels, with how far they have read. `after` is a page's `next`. */
  channels(after?: string): Promise<ChannelPage> {
    return this.#host.api(`channels${after ? `?after=${after}` : ""}`);
  }

  /** Makes a channel; the same request again changes nothing. @throws {ChatError} `channel_exists` when it is another's */
  createChannel(request: NewChannel): Promise<Channel> {
    return this.#host.api("channels", request);
  }

  /** Who is online in a room, joined or not. */
  presence(roomId: string): Promise<RoomPresence> {
    return this.#host.api(`presence?roomId=${roomId}`);
  }

  /** Sends a message to a room, as `room.send` does. `roomId` defaults to the room the client was made for, or the lobby. */
  sendMessage(content: string, roomId: string = this.#firstRoom): Promise<Sent> {
    return this.#rooms.open(roomId).room.send(content);
  }

  /** `join`, by the name it has in older code. */
  joinRoom(roomId: string): ChatRoom {
    return this.join(roomId);
  }

  // The user, and what is stored of them.

  #requireSame(tokens: HeldTokens): string | undefined {
    const userId = userOf(tokens);
    if (userId && this.userId && userId !== this.userId) throw new ChatError("bad_claims");
    return userId;
  }

  #identify(userId: string): void {
    if (this.userId) return;
    const { events } = this.#host;
    const kept = this.#options.storage?.(userId, (error) =>
      events.emit("error", { code: "storage_failed", message: String(error) }),
    );
    this.#host.userId = userId;
    this.#host.kept = kept;
    this.#loading = kept?.load().then((roomIds) => {
      this.#rooms.each((room) => kept.restore(room));
      for (const roomId of roomIds) this.#rooms.open(roomId);
    });
  }

  // The connection.

  async #prepare(tokens: HeldTokens): Promise<string> {
    const userId = this.#requireSame(tokens);
    if (userId) this.#identify(userId);
    await this.#loading;
    const url = this.#socketUrl(tokens);
    const session = this.#rooms.choose();
    if (!session) return url;
    // By hand, because React Native's URL cannot be changed.
    const since = session.since();
    const place = since ? `&since=${since.epoch}.${since.seq}` : "";
    return `${url}${url.includes("?") ? "&" : "?"}roomId=${encodeURIComponent(session.room.id)}${place}`;
  }

  #socketUrl({ wsUrl: told }: HeldTokens): string {
    const { apiUrl, wsUrl = apiUrl === undefined ? told : undefined } = this.#options;
    return wsUrl ?? new URL("/ws", apiBase(apiUrl)).href.replace(/^http/, "ws");
  }

  #welcomed({ userId, limits }: ServerFrameOf<"welcome">): void {
    if (this.userId && this.userId !== userId) return this.#connection.stop(new ChatError("bad_claims"));
    this.#identify(userId);
    this.#host.limits = { ...DEFAULT_LIMITS, ...limits };
    this.#rooms.welcomed();
    this.#host.events.emit("open", { userId });
  }
}

/** Where the HTTP interface is: its routes stand at the root, also for those who were told `…/api`. */
function apiBase(apiUrl?: string): string {
  const origin = (globalThis as { location?: { origin?: string } }).location?.origin;
  const base = new URL(apiUrl ?? "", origin ?? "http://localhost").href;
  return base.replace(/(\/api)?\/*$/, "");
}
