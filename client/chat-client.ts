import type { ServerFrame } from "../protocol/frames.ts";
import { Api } from "./api.ts";
import { ChatError } from "./chat-error.ts";
import { Connection } from "./connection.ts";
import { Emitter } from "./emitter.ts";
import type { LaterFrame } from "./frames.ts";
import { choosePlatform, defer, type Deferred } from "./platform.ts";
import { ChatRoom, type RoomHost } from "./room.ts";
import { type HeldTokens, TokenSource, userOf } from "./tokens.ts";
import type {
  Channel,
  ChannelPage,
  ChatClientOptions,
  ChatLimits,
  ChatPlatform,
  ChatTokens,
  ClientEvents,
  ConnectionChange,
  ConnectionState,
  Kept,
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
const LOBBY = "lobby";

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
  readonly #events = new Emitter<ClientEvents>();
  readonly #tokens: TokenSource;
  readonly #api: Api;
  readonly #connection: Connection;
  readonly #options: Pick<ChatClientOptions, "apiUrl" | "wsUrl" | "storage" | "catchUpMax">;
  readonly #rooms = new Map<string, ChatRoom>();
  readonly #joins = new Map<string, number>();
  readonly #host: RoomHost;
  /** What an earlier visit left. */
  #left: Awaited<ReturnType<Kept["load"]>> | undefined;
  #loading: Promise<void> | undefined;
  #roomInAddress: string | undefined;
  #firstRoom = LOBBY;
  #change: ConnectionChange = { state: "idle" };
  #connecting: Deferred<void> | undefined;
  #isToldUnauthorized = false;

  /** A client; nothing happens before `connect()`. */
  constructor(options: ChatClientOptions);
  /** A client that connects at once and joins a room, the lobby by default. */
  constructor(wsToken: string, roomId?: string, options?: Omit<FixedTokenOptions, "wsToken">);
  constructor(given: ChatClientOptions | string, roomId = LOBBY, more: Omit<FixedTokenOptions, "wsToken"> = {}) {
    const options: ChatClientOptions = typeof given === "string" ? { ...more, wsToken: given } : given;
    const platform = choosePlatform(options.platform);
    this.#options = options;
    this.#tokens = new TokenSource(options, platform);
    this.#api = new Api({
      platform,
      tokens: this.#tokens,
      baseUrl: apiBase(options.apiUrl),
      onUnauthorized: (error) => {
        this.#connection.stop(error);
        this.#unauthorized(error);
      },
    });
    this.#host = this.#roomHost(platform);
    this.#connection = new Connection({
      platform,
      tokens: this.#tokens,
      prepare: (tokens) => this.#prepare(tokens),
      hear: (frame) => this.#hear(frame),
      changed: (change) => {
        this.#change = change;
        this.#events.emit("connection", change);
        const over = change.state === "idle" ? new ChatError("stopped") : change.error;
        if (!over) return;
        this.#connecting?.reject(over);
        this.#connecting = undefined;
      },
      lost: (code) => {
        for (const room of this.#rooms.values()) room.lost();
        this.#events.emit("close", { code });
      },
      events: this.#events,
      unauthorized: (error) => this.#unauthorized(error),
      tick: () => {
        for (const room of this.#rooms.values()) room.tick();
      },
      hidden: () => this.#save(),
    });
    const held = this.#tokens.current;
    const userId = options.userId ?? (held && userOf(held));
    if (userId) this.#identify(userId);
    if (typeof given !== "string") return;
    this.#firstRoom = roomId;
    this.join(roomId);
    void this.connect(); // what becomes of it is told as `connection`
  }

  /** Where the connection is; `on("connection")` tells of changes. */
  get connectionState(): ConnectionState {
    return this.#connection.state;
  }

  /** The newest of those changes: besides the state when and why. The same object until the next. */
  get connection(): ConnectionChange {
    return this.#change;
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
    return [...this.#rooms.values()].filter(({ id }) => this.#joins.has(id));
  }

  /** Registers for an event; `remove()` of what it returns takes that back. */
  on<Name extends keyof ClientEvents>(event: Name, listener: (event: ClientEvents[Name]) => void): Subscription {
    return this.#events.on(event, listener);
  }

  /**
   * Connects, and stays connected until `disconnect()` or a final refusal.
   *
   * @returns resolves at the first welcome, however long that takes; at once when connected already
   * @throws {ChatError} rejects when there is no use in trying on (how the server closed, `unauthorized`), and with
   *   `stopped` when `disconnect()` came first
   */
  connect(): Promise<void> {
    if (this.connectionState === "online") return Promise.resolve();
    this.#connecting ??= defer();
    const { promise } = this.#connecting;
    this.#isToldUnauthorized = false;
    this.#connection.open();
    return promise;
  }

  /** Ends the connection. Rooms stay joined and messages wait, for another `connect()`. */
  disconnect(): void {
    for (const room of this.#rooms.values()) room.lost();
    this.#save();
    this.#connection.close();
  }

  /**
   * The room of that id: the same object for the same id. Joined now or as soon as there is a connection, until it has been
   * left as often as it was joined.
   */
  join(roomId: string): ChatRoom {
    const room = this.#open(roomId);
    this.#joins.set(roomId, (this.#joins.get(roomId) ?? 0) + 1);
    if (/left|refused/.test(room.state.status)) this.#enter(room);
    return room;
  }

  /** Takes one `join` back, as `room.leave()` does. */
  leaveRoom(roomId: string): void {
    const count = (this.#joins.get(roomId) ?? 0) - 1;
    if (count > 0) return void this.#joins.set(roomId, count);
    const room = this.#rooms.get(roomId);
    // Not at once: who unmounts and mounts again in one go has never left.
    if (this.#joins.delete(roomId) && room) setTimeout(() => this.#settle(room), 0);
  }

  /**
   * Goes on with these tokens: on the open connection, or by connecting again when it had stopped for want of them.
   *
   * @throws {ChatError} `bad_claims` when they are another user's: that takes another client
   */
  setTokens(tokens: Omit<ChatTokens, "token"> & Partial<Pick<ChatTokens, "token">>): void {
    this.#requireSame(tokens);
    this.#tokens.set(tokens);
    const wasTold = this.#isToldUnauthorized;
    this.#isToldUnauthorized = false;
    this.#connection.renew(tokens);
    if (wasTold && this.connectionState === "stopped") this.#connection.open();
  }

  /** Disconnects and forgets everything of this user's, on this device too: what is to be done at a sign-out. */
  async clear(): Promise<void> {
    this.disconnect();
    this.#left = undefined;
    for (const room of this.#rooms.values()) room.clear();
    await this.#host.kept?.clear();
  }

  /** The caller's channels, with how far they have read. `after` is a page's `next`. */
  channels(after?: string): Promise<ChannelPage> {
    return this.#api.channels(after);
  }

  /** Makes a channel; the same request again changes nothing. @throws {ChatError} `channel_exists` when it is another's */
  createChannel(request: NewChannel): Promise<Channel> {
    return this.#api.createChannel(request);
  }

  /** Who is online in a room, joined or not. */
  presence(roomId: string): Promise<RoomPresence> {
    return this.#api.presence(roomId);
  }

  /** Sends a message to a room, as `room.send` does. `roomId` defaults to the room the client was made for, or the lobby. */
  sendMessage(content: string, roomId: string = this.#firstRoom): Promise<Sent> {
    return this.#open(roomId).send(content);
  }

  /** `join`, by the name it has in older code. */
  joinRoom(roomId: string): ChatRoom {
    return this.join(roomId);
  }

  // Rooms.

  #roomHost(platform: ChatPlatform): RoomHost {
    return {
      platform,
      api: this.#api,
      limits: DEFAULT_LIMITS,
      catchUpMax: this.#options.catchUpMax ?? CATCH_UP_MAX,
      userId: undefined,
      kept: undefined,
      send: (frame) => this.#connection.send(frame),
      events: this.#events,
      leaveRoom: (roomId) => this.leaveRoom(roomId),
      settle: (room) => this.#settle(room),
    };
  }

  #open(roomId: string): ChatRoom {
    let room = this.#rooms.get(roomId);
    if (!room) {
      room = new ChatRoom(roomId, this.#host);
      this.#rooms.set(roomId, room);
      this.#restore(room);
    }
    return room;
  }

  #isWanted({ id, hasUnsent }: ChatRoom): boolean {
    return this.#joins.has(id) || hasUnsent;
  }

  /** Joins a room that something is to be sent to; leaves one that nobody wants any more. */
  #settle(room: ChatRoom): void {
    const { status } = room.state;
    if (status === "left" && this.#isWanted(room)) this.#enter(room);
    else if (status !== "left" && !this.#isWanted(room)) room.left();
  }

  #enter(room: ChatRoom): void {
    room.join(this.connectionState !== "online");
  }

  // The user, and what is stored of them.

  #requireSame(tokens: HeldTokens): string | undefined {
    const userId = userOf(tokens);
    if (userId && this.userId && userId !== this.userId) throw new ChatError("bad_claims");
    return userId;
  }

  #identify(userId: string): void {
    if (this.userId) return;
    this.#host.userId = userId;
    const kept = this.#options.storage?.(userId, (error) =>
      this.#events.emit("error", { code: "storage_failed", message: String(error) }),
    );
    this.#host.kept = kept;
    this.#loading = kept?.load().then((left) => {
      this.#left = left;
      for (const room of this.#rooms.values()) this.#restore(room);
      for (const { roomId } of left.waiting) this.#open(roomId);
    });
  }

  #restore(room: ChatRoom): void {
    const waiting = this.#left?.waiting.filter(({ roomId }) => roomId === room.id);
    if (waiting) room.restore(this.#left?.rooms.get(room.id), waiting);
  }

  #save(): void {
    for (const room of this.#rooms.values()) room.save();
  }

  // The connection.

  async #prepare(tokens: HeldTokens): Promise<string> {
    const userId = this.#requireSame(tokens);
    if (userId) this.#identify(userId);
    await this.#loading;
    const url = this.#socketUrl(tokens);
    const [room] = [...this.#rooms.values()].filter((known) => this.#isWanted(known));
    this.#roomInAddress = room?.id;
    if (!room) return url;
    // By hand, because React Native's URL cannot be changed.
    const { id, since } = room;
    const place = since ? `&since=${since.epoch}.${since.seq}` : "";
    return `${url}${url.includes("?") ? "&" : "?"}roomId=${encodeURIComponent(id)}${place}`;
  }

  #socketUrl({ wsUrl: told }: HeldTokens): string {
    const { apiUrl, wsUrl } = this.#options;
    const known = wsUrl ?? (apiUrl === undefined ? told : undefined);
    return known ?? new URL("/ws", apiBase(apiUrl)).href.replace(/^http/, "ws");
  }

  #hear(frame: ServerFrame | LaterFrame): void {
    if (frame.type === "welcome") return this.#welcomed(frame.userId, frame.limits);
    if (frame.type === "heads") {
      for (const [id, seq] of Object.entries(frame.rooms)) this.#rooms.get(id)?.headIs(seq);
      return;
    }
    if (frame.type === "pong") return;
    const room = this.#rooms.get(frame.roomId ?? "");
    if (frame.type === "room_joined") this.#leaveUninvited(room, frame.roomId);
    if (room) room.hear(frame);
    else if (frame.type === "error") this.#events.emit("error", frame);
  }

  #welcomed(userId: string, limits: Partial<ChatLimits>): void {
    if (this.userId && this.userId !== userId) return this.#connection.stop(new ChatError("bad_claims"));
    this.#identify(userId);
    this.#host.limits = { ...DEFAULT_LIMITS, ...limits };
    for (const room of this.#rooms.values()) {
      if (room.state.status === "left" && !this.#isWanted(room)) continue;
      room.join(room.id === this.#roomInAddress);
    }
    this.#connecting?.resolve();
    this.#connecting = undefined;
    this.#events.emit("open", { userId });
  }

  /** A socket is in some room from the start. One that nobody wants is left, unless it is the only one. */
  #leaveUninvited(room: ChatRoom | undefined, roomId: string): void {
    if (!(room && this.#isWanted(room)) && this.#joins.size > 0) this.#connection.send({ type: "leave_room", roomId });
  }

  #unauthorized(error: ChatError): void {
    if (this.#isToldUnauthorized) return;
    this.#isToldUnauthorized = true;
    this.#events.emit("unauthorized", { error });
  }
}

/** Where the HTTP interface is: its routes stand at the root, also for those who were told `…/api`. */
function apiBase(apiUrl?: string): string {
  const origin = (globalThis as { location?: { origin?: string } }).location?.origin;
  const base = new URL(apiUrl ?? "", origin ?? "http://localhost").href;
  return base.replace(/\/+$/, "").replace(/\/api$/, "");
}
