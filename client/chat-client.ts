import { createCore } from "./core.ts";
import type { ChatRoom } from "./room.ts";
import type { Channel, ChannelPage, NewChannel, RoomPresence } from "./channels.ts";
import type {
  ChatClientOptions,
  ChatLimits,
  ChatTokens,
  ClientEvents,
  ConnectionChange,
  ConnectionState,
  FixedTokenOptions,
  Sent,
  Subscription,
} from "./types.ts";

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
  readonly #core: ReturnType<typeof createCore>;
  readonly #firstRoom: string;

  /** A client; nothing happens before `connect()`. */
  constructor(options: ChatClientOptions);
  /** A client that connects at once and joins a room, the lobby by default. */
  constructor(wsToken: string, roomId?: string, options?: Omit<FixedTokenOptions, "wsToken">);
  constructor(given: ChatClientOptions | string, roomId = "lobby", more: Omit<FixedTokenOptions, "wsToken"> = {}) {
    const isToken = typeof given === "string";
    this.#core = createCore(isToken ? { ...more, wsToken: given } : given);
    this.#firstRoom = roomId;
    if (!isToken) return;
    this.join(roomId);
    void this.connect(); // what becomes of it is told as `connection`
  }

  /** Where the connection is; `on("connection")` tells of changes. */
  get connectionState(): ConnectionState {
    return this.connection.state;
  }

  /** The newest of those changes: besides the state when and why. The same object until the next. */
  get connection(): ConnectionChange {
    return this.#core.connection.change;
  }

  /** Who is signed in; undefined until a token has said so. */
  get userId(): string | undefined {
    return this.#core.host.userId;
  }

  /** What the server takes. */
  get limits(): ChatLimits {
    return this.#core.host.limits;
  }

  /** The rooms that are joined now, or as soon as there is a connection. */
  get rooms(): readonly ChatRoom[] {
    return this.#core.rooms.joined;
  }

  /** Registers for an event; `remove()` of what it returns takes that back. */
  on<Name extends keyof ClientEvents>(event: Name, listener: (event: ClientEvents[Name]) => void): Subscription {
    return this.#core.host.events.on(event, listener);
  }

  /**
   * Connects, and stays connected until `disconnect()` or a final refusal.
   *
   * @returns resolves at the first welcome, however long that takes; at once when connected already
   * @throws {ChatError} rejects when there is no use in trying on (how the server closed, `unauthorized`), and with
   *   `stopped` when `disconnect()` came first
   */
  connect(): Promise<void> {
    return this.#core.connection.open();
  }

  /** Ends the connection. Rooms stay joined and messages wait, for another `connect()`. */
  disconnect(): void {
    this.#core.connection.close();
    this.#core.host.kept?.flush();
  }

  /**
   * The room of that id: the same object for the same id. Joined now or as soon as there is a connection, until it has been
   * left as often as it was joined. One socket takes 50 rooms: another is `refused`, until one was left and it is joined
   * again.
   */
  join(roomId: string): ChatRoom {
    return this.#core.rooms.join(roomId);
  }

  /** Takes one `join` back, as `room.leave()` does. */
  leaveRoom(roomId: string): void {
    this.#core.rooms.leave(roomId);
  }

  /**
   * Goes on with these tokens: on the open connection, or by connecting again when it had stopped for want of them.
   *
   * @throws {ChatError} `bad_claims` when they are another user's: that takes another client
   */
  setTokens(tokens: Omit<ChatTokens, "token"> & Partial<Pick<ChatTokens, "token">>): void {
    this.#core.setTokens(tokens);
  }

  /** Disconnects and forgets everything of this user's, on this device too: what is to be done at a sign-out. */
  async clear(): Promise<void> {
    const { connection, rooms, host } = this.#core;
    connection.close();
    rooms.each((room) => room.clear());
    await host.kept?.clear();
  }

  /** The caller's channels, with how far they have read. `after` is a page's `next`. */
  channels(after?: string): Promise<ChannelPage> {
    return this.#core.host.http().then((http) => http.channels(after));
  }

  /** Makes a channel; the same request again changes nothing. @throws {ChatError} `channel_exists` when it is another's */
  createChannel(request: NewChannel): Promise<Channel> {
    return this.#core.host.http().then((http) => http.createChannel(request));
  }

  /** Who is online in a room, joined or not. */
  presence(roomId: string): Promise<RoomPresence> {
    return this.#core.host.http().then((http) => http.presence(roomId));
  }

  /** Sends a message to a room, as `room.send` does. `roomId` defaults to the room the client was made for, or the lobby. */
  sendMessage(content: string, roomId: string = this.#firstRoom): Promise<Sent> {
    return this.#core.rooms.open(roomId).room.send(content);
  }

  /** `join`, by the name it has in older code. */
  joinRoom(roomId: string): ChatRoom {
    return this.join(roomId);
  }
}
