/** What a token endpoint answers: `POST /v1/token` of Parley, or your own backend passing it on. */
export interface ChatTokens {
  /** For HTTP: history, channels, presence. */
  token: string;
  /** For the socket. */
  wsToken: string;
  /** Seconds both have left to live, counted from the answer. Without it the token's own `exp` and `iat` are read. */
  expiresIn?: number | undefined;
  /** Where the socket is, when the client was not told. */
  wsUrl?: string;
  userId?: string;
}

/**
 * Gets fresh tokens: called for each connection attempt that needs one, and before the old ones end; never twice at once.
 * `signal` ends when the client is disconnected, and after 30 s without an answer.
 *
 * An error thrown here is taken for a passing one and tried again, after `retryAfterMs` if it has such a field. An error
 * with a `status` of 401 or 403, or the `code` `unauthorized`, is final: the client stops and tells `unauthorized`.
 */
export type GetToken = (request: { signal: AbortSignal }) => Promise<ChatTokens>;

/**
 * Where the outbox and the newest messages are kept while the app is closed. Values are JSON texts. Every key begins with
 * `parley:<userId>:`, so nobody is shown what another user of the device has left.
 */
export interface ChatStorage {
  get(key: string): Promise<string | null | undefined>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  /** Every key that begins with `prefix`. Each waiting message has a key of its own, so that two tabs lose none. */
  keys(prefix: string): Promise<readonly string[]>;
}

/** What is kept of a room while the app is closed. */
export interface KeptRoom {
  epoch: string;
  readSeq?: number | undefined;
  /** The newest ones, without a gap. */
  messages: readonly ChatMessage[];
}

/** A room, for who keeps it. */
export interface KeepableRoom {
  room: { readonly id: string; readonly messages: readonly ChatMessage[]; readonly state: RoomState };
  /** Up to where everything is here. */
  since: () => { epoch: string; seq: number } | undefined;
  /** Takes what an earlier visit left. */
  restore: (waiting: readonly ChatMessage[], kept: KeptRoom | undefined) => void;
}

/** One user's part of a storage. Nothing here fails: a storage that does costs what it would have kept. */
export interface Kept {
  /** Reads what an earlier visit left. Resolves to the rooms that something is still to be sent to. */
  load(): Promise<readonly string[]>;
  /** Gives a room what was left of it, once that is read. */
  restore(room: KeepableRoom): void;
  /** Something of a room is another now. */
  keep(room: KeepableRoom): void;
  /** Writes at once what may wait. */
  flush(): void;
  /** Forgets everything. */
  clear(): Promise<void>;
}

/** Opens what is kept of a user. Made by `browserStorage()` and `keepIn(...)`. */
export type OpenKept = (userId: string, onError: (error: unknown) => void) => Kept;

interface CommonOptions {
  /** Address of the HTTP interface, such as `https://chat.example.com` or `https://chat.example.com/api`. Default in browsers: where the page came from. */
  apiUrl?: string;
  /** Address of the gateway. Default: `/ws` at `apiUrl`'s host. */
  wsUrl?: string;
  /** Keeps the outbox and the newest messages of each room: `browserStorage()`, or `keepIn(...)` with a storage of yours. Default: in memory only. */
  storage?: OpenKept;
  /** Who signs in, when the app knows: what is stored can then be shown, and added to, before there are tokens. */
  userId?: string;
  /**
   * How many missed messages are fetched after an absence, at most. Past that a room begins anew with its newest messages
   * and tells `gap`; `history()` has the older ones. Default: 2,000.
   */
  catchUpMax?: number;
  /** Another `fetch`, `WebSocket` or source of randomness, for runtimes that lack them. */
  platform?: Partial<ChatPlatform>;
}

/** Tokens that were got once. When they end, `unauthorized` is told; `setTokens` goes on with new ones. */
export interface FixedTokenOptions extends CommonOptions {
  /** Without it there is the socket, but no history over HTTP. */
  token?: string;
  wsToken: string;
  expiresIn?: number;
  getToken?: never;
}

/** Tokens that are fetched whenever they are needed. */
export interface FetchedTokenOptions extends CommonOptions {
  getToken: GetToken;
  token?: never;
  wsToken?: never;
  expiresIn?: never;
}

export type ChatClientOptions = FixedTokenOptions | FetchedTokenOptions;

/**
 * Where a client is:
 *
 * `idle` ──connect()──► `connecting` ──welcome──► `online` ──socket lost──► `waiting` ──delay over──► `connecting` …
 * Any state ──disconnect()──► `idle`. `connecting`, `online` or `waiting` ──final refusal──► `stopped` ──connect()──► `connecting`.
 * `offline` is `waiting` without a delay: the device says that it has no network.
 */
export type ConnectionState = "idle" | "connecting" | "online" | "waiting" | "offline" | "stopped";

export interface ConnectionChange {
  state: ConnectionState;
  /** Close code of the socket that was lost, when there was one. */
  code?: number | undefined;
  /** In `waiting`: milliseconds until the next attempt. */
  retryInMs?: number | undefined;
  /** In `waiting`: how many attempts have failed since the last success. */
  attempt?: number | undefined;
  /** In `stopped`: why, and what to do. */
  error?: (Error & { code: string }) | undefined;
}

/** `sending`: in the outbox. `sent`: stored, has its `seq`. `failed`: certainly not stored; `retry` or `discard` it. */
export type MessageState = "sending" | "sent" | "failed";

/** One line of a conversation as an app shows it. Objects are never changed: a change is a new object. */
export interface ChatMessage {
  /** Stays the same from sending to sent: the client's own id, or the server's for messages of others. A key for lists. */
  key: string;
  state: MessageState;
  roomId: string;
  userId: string;
  username: string;
  content: string;
  /** ISO 8601. The server's once sent, this device's before. */
  timestamp: string;
  /** Only once sent. */
  seq?: number;
  messageId?: string;
  clientMessageId?: string | undefined;
  /** Why it failed. Its text is kept. */
  error?: (Error & { code: string }) | undefined;
  /** What moderation did to it, for its author. */
  moderation?: "masked" | "flagged" | undefined;
}

export interface Person {
  userId: string;
  username: string;
  status: "online" | "offline";
  /** ISO 8601. */
  lastSeen?: string | undefined;
}

export interface Typist {
  userId: string;
  username: string;
}

export interface Sent {
  messageId: string;
  seq: number;
  epoch: string;
  timestamp: string;
  /** It had been stored by an earlier attempt. */
  duplicate: boolean;
  moderation?: "masked" | "flagged" | undefined;
}

/** What an app registers is taken away again with `remove()`. */
export interface Subscription {
  remove(): void;
}

export interface ClientEvents {
  connection: ConnectionChange;
  /** Tokens were refused or ended and there is no way to get new ones. Told once. */
  unauthorized: { error: Error };
  /** A message was added to some room's log, in order, once each. */
  message: ChatMessage;
  /** An answer to something the app did that is tied to no message. */
  error: { code: string; message: string; roomId?: string | undefined; retryAfterMs?: number | undefined };
  /** The first frame of each socket has come. */
  open: { userId: string };
  /** A socket is gone. */
  close: { code: number };
}

export interface RoomEvents {
  /** Something in `room.state` changed; the old object is still as it was. */
  change: RoomState;
  /** A message got its place in the order: its own and those of others, each `seq` once and in order. */
  message: ChatMessage;
  typing: readonly Typist[];
  presence: readonly Person[];
  read: { userId: string; seq: number };
  /** Messages between the two were passed over, because there are too many or the room lost them: `history()` has what there is. */
  gap: { after: number; before: number };
  /** `rate_limited`, `storage_unavailable` and the like with a `clientMessageId`: the message waits and is sent again by itself. */
  error: {
    code: string;
    message: string;
    clientMessageId?: string | undefined;
    retryAfterMs?: number | undefined;
  };
}

/** Everything a view of a room needs, as one object that is replaced and never changed. */
export interface RoomState {
  /** `joining` until the first answer and after a lost socket; `refused` for good, see `error`. */
  status: "joining" | "joined" | "left" | "refused";
  error?: (Error & { code: string }) | undefined;
  /** In order: what is sent, then what is on its way. */
  messages: readonly ChatMessage[];
  /** Whether there is more history before the first message. */
  hasMore: boolean;
  /** Who is here, or a sample of them in a large room. */
  members: readonly Person[];
  memberCount: number;
  /** Others who type just now. */
  typing: readonly Typist[];
  /** Messages of others after the own read mark: computed from `seq`, never counted up. */
  unread: number;
  /** Up to where each person has read, as far as known. */
  readMarks: Readonly<Record<string, number>>;
  /** Newest known `seq`. */
  head: number;
  epoch?: string | undefined;
}

/** What the server takes; what it says at sign-in replaces the defaults. */
export interface ChatLimits {
  /** In code points. */
  messageMaxLength: number;
  messageMaxBytes: number;
  frameMaxBytes: number;
  messagesPerWindow: number;
  windowMs: number;
}

/** A function that is called with an event, or null. The event may have more than is named here. */
export type SocketHandler<Event> = { of(event: Event): void }["of"] | null;

/** What a client uses of a `WebSocket`: that of browsers and of Node has it, and that of the package `ws`. */
export interface SocketLike {
  readonly readyState: number;
  onmessage: SocketHandler<{ readonly data: unknown }>;
  onclose: SocketHandler<{ readonly code: number; readonly reason: string }>;
  onerror: SocketHandler<unknown>;
  send(text: string): void;
  close(code?: number): void;
}

/** What a client needs of the runtime it is in. Each part has the runtime's own as its default. */
export interface ChatPlatform {
  fetch: typeof fetch;
  WebSocket: new (url: string, protocols: string[]) => SocketLike;
  /** Uniform in [0, 1). */
  random: () => number;
  /** Milliseconds that never go back. */
  monotonicNow: () => number;
  /** Tells of the network and of being seen; returns how to stop listening. */
  watch: (tell: (event: "online" | "offline" | "visible" | "hidden") => void) => () => void;
}
