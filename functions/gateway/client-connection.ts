import { verifyChatToken } from "../../domain/chat-tokens.ts";
import type { Now } from "../../domain/ports.ts";
import type { Guest } from "../../domain/socket-door.ts";
import { closeQuietly, closeWith, sendQuietly, type ServerSocket } from "../../domain/sockets.ts";
import { TokenBucket } from "../../domain/token-bucket.ts";
import { ChatError, CLOSES, type CloseReason, type ErrorCode, ERRORS } from "../../protocol/errors.ts";
import type { ClientFrame, ServerFrame } from "../../protocol/frames.ts";
import { type ChannelId, RESERVED_CHANNEL_IDS } from "../../protocol/ids.ts";
import { LIMITS, TIMES } from "../../protocol/limits.ts";
import { type Codec, type Decoded, nativeCodec } from "./codec.ts";
import type { GatewayDeps } from "./deps.ts";
import { type Dial, limitDial } from "./dial.ts";
import type { RoomFrame } from "./room-frame.ts";
import { type RoomHost, RoomSession } from "./room-session.ts";

/** What an `error` may name beside its code. */
interface ErrorPlace {
  roomId?: ChannelId | undefined;
  clientMessageId?: string | undefined;
  retryAfterMs?: number | undefined;
}

const KEEP_ALIVE_INTERVAL_MS = 10_000;
/** Each join opens a socket: as many as there may be rooms at once, then one a second. */
const JOINS = { burst: LIMITS.roomsPerSocket, everyMs: 1_000 };
const utf8 = new TextEncoder();

/** One client's socket at the gateway: its frames go to the rooms it has joined, theirs come back on it. */
export class ClientConnection implements RoomHost {
  readonly dial: Dial;
  readonly random: () => number;
  readonly now: Now;
  token: string;
  readonly #deps: GatewayDeps;
  readonly #socket: ServerSocket;
  readonly #codec: Codec;
  readonly #home: ChannelId;
  readonly #claims: Guest["claims"];
  readonly #rooms = new Map<ChannelId, RoomSession>();
  readonly #joins: TokenBucket;
  #strikes = 0;
  #pinged = false;
  #heardAt: number;
  #keptAliveAt = 0;
  #isEnded = false;
  #heads: ReturnType<typeof setInterval>;
  #expiry: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: GatewayDeps, socket: ServerSocket, guest: Guest) {
    this.#deps = deps;
    this.dial = limitDial(deps.dial);
    this.random = deps.random;
    this.now = deps.now;
    this.token = guest.token;
    this.#socket = socket;
    this.#codec = nativeCodec(guest.subprotocol);
    this.#home = guest.roomId;
    this.#claims = guest.claims;
    this.#joins = new TokenBucket(JOINS, deps.now);
    this.#heardAt = deps.now();
    this.#heads = setInterval(() => this.#tick(), TIMES.headsMs);
    socket.addEventListener("message", ({ data }) => this.receive(data));
    socket.addEventListener("close", ({ code }) => this.#leave(code));
    socket.addEventListener("error", () => this.#leave(CLOSES.internal));
    this.#expireAt(guest.claims.expiresAt);
    this.send(this.#welcome());
    this.#join(guest.roomId, guest.since);
  }

  /** One WebSocket message of the client's. */
  receive(data: unknown): void {
    if (this.#isEnded) return;
    this.#heardAt = this.now();
    if (typeof data !== "string") return this.end("unsupported_data");
    if (isTooBig(data)) return this.end("frame_too_big");
    for (const decoded of this.#codec.decode(data)) if (!this.#isEnded) this.#take(decoded);
  }

  deliver(frames: readonly RoomFrame[]): void {
    for (const text of this.#codec.relay(frames)) sendQuietly(this.#socket, text);
  }

  send(frame: ServerFrame): void {
    sendQuietly(this.#socket, this.#codec.encode(frame));
  }

  end(reason: CloseReason): void {
    if (this.#isEnded) return;
    closeWith(this.#socket, reason);
    this.#clear();
  }

  forget(roomId: ChannelId): void {
    this.#rooms.delete(roomId);
  }

  #take({ parsed, text }: Decoded): void {
    if (parsed.ok) return this.#route(parsed.frame, text);
    this.#fail(parsed.code, parsed, parsed.detail);
    if (++this.#strikes >= LIMITS.strikesPerSocket) this.end("too_many_errors");
  }

  #route(frame: ClientFrame, text: string): void {
    switch (frame.type) {
      case "ping":
        return this.#pong();
      case "refresh":
        return void this.#refresh(frame.token, text);
      case "join_room":
        return this.#rooms.has(frame.roomId) ? this.#write(frame, text) : this.#join(frame.roomId, frame.since);
      case "leave_room":
        return this.#leaveRoom(frame.roomId, text);
      case "message":
      case "typing":
      case "read":
      case "received":
        return this.#write(frame, text);
    }
  }

  #write(frame: Exclude<ClientFrame, { type: "ping" | "refresh" | "leave_room" }>, text: string): void {
    const roomId = frame.roomId ?? this.#home;
    const room = this.#rooms.get(roomId);
    if (room !== undefined) return room.write(frame, text);
    const clientMessageId = frame.type === "message" ? frame.clientMessageId : undefined;
    this.#fail("forbidden", { roomId, clientMessageId }, "Join the room first");
  }

  #join(roomId: ChannelId, since: Guest["since"]): void {
    if (RESERVED_CHANNEL_IDS.has(roomId)) return this.#fail("room_not_found", { roomId });
    if (this.#rooms.size >= LIMITS.roomsPerSocket)
      return this.#fail("forbidden", { roomId }, `At most ${LIMITS.roomsPerSocket} rooms on one socket`);
    const retryAfterMs = this.#joins.take();
    if (retryAfterMs !== undefined) return this.#fail("rate_limited", { roomId, retryAfterMs });
    this.#rooms.set(roomId, new RoomSession(this, roomId, since));
  }

  #leaveRoom(roomId: ChannelId, text: string): void {
    const room = this.#rooms.get(roomId);
    if (room === undefined) this.send({ type: "room_left", roomId });
    else room.leave(text);
  }

  async #refresh(token: string, text: string): Promise<void> {
    try {
      const claims = await verifyChatToken(this.#deps.tokenKeys, "ws", token, this.now());
      if (claims.userId !== this.#claims.userId || claims.app !== this.#claims.app)
        throw new ChatError("forbidden", { detail: "The new token is another user's" });
      if (this.#isEnded) return;
      this.token = token;
      this.#expireAt(claims.expiresAt);
      for (const room of this.#rooms.values()) room.refresh(text);
    } catch (error) {
      if (error instanceof ChatError) this.#fail(error.code, {}, error.message);
      else this.#fail("internal", {});
    }
  }

  #pong(): void {
    this.#pinged = true;
    this.send({ type: "pong" });
    const now = this.now();
    if (now < this.#keptAliveAt + KEEP_ALIVE_INTERVAL_MS) return;
    this.#keptAliveAt = now;
    for (const room of this.#rooms.values()) room.keepAlive();
  }

  #tick(): void {
    if (this.#pinged && this.now() > this.#heardAt + TIMES.deadSocketMs) return this.end("restart");
    const rooms: Record<ChannelId, number> = {};
    for (const [roomId, { head }] of this.#rooms) if (head !== undefined) rooms[roomId] = head;
    if (Object.keys(rooms).length > 0) this.send({ type: "heads", rooms });
  }

  #expireAt(expiresAt: number): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.end("token_expired"), expiresAt - this.now() + TIMES.expiryGraceMs);
  }

  #fail(
    code: ErrorCode,
    { roomId, clientMessageId, retryAfterMs }: ErrorPlace,
    message: string = ERRORS[code].title,
  ): void {
    this.send({
      type: "error",
      code,
      message,
      ...(roomId !== undefined && { roomId }),
      ...(clientMessageId !== undefined && { clientMessageId }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }

  #welcome(): ServerFrame {
    const { settings } = this.#deps;
    return {
      type: "welcome",
      connectionId: crypto.randomUUID(),
      userId: this.#claims.userId,
      serverTime: new Date(this.now()).toISOString(),
      limits: {
        messageMaxLength: settings.MAX_MESSAGE_LENGTH,
        messageMaxBytes: LIMITS.messageMaxBytes,
        frameMaxBytes: LIMITS.frameMaxBytes,
        messagesPerWindow: settings.RATE_LIMIT_MAX_MESSAGES,
        windowMs: settings.RATE_LIMIT_WINDOW_MS,
      },
      expiresAt: new Date(this.#claims.expiresAt).toISOString(),
    };
  }

  /** The client has gone: so do the sockets to its rooms, at once, because that is how rooms learn it. */
  #leave(code: number): void {
    closeQuietly(this.#socket, code);
    this.#clear();
  }

  #clear(): void {
    this.#isEnded = true;
    clearInterval(this.#heads);
    clearTimeout(this.#expiry);
    for (const room of this.#rooms.values()) room.close();
    this.#rooms.clear();
  }
}

// UTF-8 takes one to three bytes for a UTF-16 unit, so most texts need no counting.
function isTooBig(text: string): boolean {
  if (text.length > LIMITS.frameMaxBytes) return true;
  return text.length * 3 > LIMITS.frameMaxBytes && utf8.encode(text).length > LIMITS.frameMaxBytes;
}
