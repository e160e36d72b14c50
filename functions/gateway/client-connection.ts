import { verifyChatToken } from "../../domain/chat-tokens.ts";
import type { Now } from "../../domain/ports/clock.ts";
import type { Guest } from "../../domain/socket-door.ts";
import { closeQuietly, closeWith, sendQuietly, type ServerSocket } from "../../domain/sockets.ts";
import { welcomeFrame } from "../../domain/welcome.ts";
import { TokenBucket } from "../../domain/token-bucket.ts";
import { ChatError, closeFor, CLOSES, type CloseReason, type ErrorCode, ERRORS } from "../../protocol/errors.ts";
import type { ClientFrame, ServerFrame } from "../../protocol/frames.ts";
import { type ChannelId, RESERVED_CHANNEL_IDS } from "../../protocol/ids.ts";
import { isFrameTooBig, LIMITS, TIMES } from "../../protocol/limits.ts";
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
/** Rooms hear of the client that much later than we do, so we have to believe them earlier. */
const SILENT_MS = TIMES.deadSocketMs - 1.5 * KEEP_ALIVE_INTERVAL_MS;
/** What the gateway answers by itself; the rest is counted where it is answered. */
const ANSWERS = { burst: LIMITS.answersPerMinute, everyMs: 60_000 / LIMITS.answersPerMinute };
/** Each join opens a socket: as many as there may be rooms at once, then one a second. */
const JOINS = { burst: LIMITS.roomsPerSocket, everyMs: 1_000 };

/** One client's socket at the gateway: its frames go to the rooms it has joined, theirs come back on it. */
export class ClientConnection implements RoomHost {
  readonly dial: Dial;
  readonly random: () => number;
  readonly now: Now;
  token: string;
  readonly #deps: GatewayDeps;
  readonly #socket: ServerSocket;
  readonly #codec: Codec;
  readonly #guest: Guest;
  readonly #connectionId = crypto.randomUUID();
  readonly #openedAt: number;
  readonly #rooms = new Map<ChannelId, RoomSession>();
  readonly #joins: TokenBucket;
  readonly #answers: TokenBucket;
  #strikes = 0;
  #struckAt = 0;
  #keepsAlive = false;
  #heardAt: number;
  #tickedAt: number;
  #keptAliveAt: number;
  #isEnded = false;
  /** A room that was joined here is not any more, and may have stored what it has not answered. */
  #hasLostRooms = false;
  #heads: ReturnType<typeof setInterval>;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #roomless: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: GatewayDeps, socket: ServerSocket, guest: Guest) {
    this.#deps = deps;
    this.dial = limitDial(deps.dial);
    this.random = deps.random;
    this.now = deps.now;
    this.token = guest.token;
    this.#socket = socket;
    this.#codec = nativeCodec(guest.subprotocol);
    this.#guest = guest;
    this.#joins = new TokenBucket(JOINS, deps.now);
    this.#answers = new TokenBucket(ANSWERS, deps.now);
    this.#openedAt = this.#heardAt = this.#tickedAt = this.#keptAliveAt = deps.now();
    this.#heads = setInterval(() => this.#tick(), TIMES.headsMs);
    socket.addEventListener("message", ({ data }) => this.receive(data));
    socket.addEventListener("close", ({ code }) => this.#leave(code));
    socket.addEventListener("error", () => this.#leave(CLOSES.internal));
    this.#expireAt(guest.claims.expiresAt);
    const { userId, expiresAt } = guest.claims;
    const connectionId = this.#connectionId;
    this.send(welcomeFrame(deps.settings, { connectionId, userId, expiresAt }, this.now()));
    this.#log("opened");
    this.#join(guest.roomId, guest.since);
    if (this.#rooms.size === 0) this.#waitForRoom();
  }

  get isSilent(): boolean {
    return this.#keepsAlive && this.now() > this.#heardAt + SILENT_MS;
  }

  /** One WebSocket message of the client's. */
  receive(data: unknown): void {
    if (this.#isEnded) return;
    this.#heardAt = this.now();
    if (typeof data !== "string") return this.end("unsupported_data");
    const texts = this.#codec.split(data);
    if (texts.length > LIMITS.framesPerMessage || texts.some(isFrameTooBig)) return this.end("frame_too_big");
    for (const text of texts) if (!this.#isEnded) this.#take(this.#codec.decode(text));
    this.#keepRoomsAlive();
    for (const room of this.#rooms.values()) room.heard(this.#keepsAlive);
  }

  deliver(frames: readonly RoomFrame[]): void {
    for (const text of this.#codec.relay(frames)) sendQuietly(this.#socket, text);
  }

  send(frame: ServerFrame): void {
    sendQuietly(this.#socket, this.#codec.encode(frame));
  }

  end(reason: CloseReason, detail?: string): void {
    if (this.#isEnded) return;
    closeWith(this.#socket, reason, detail);
    this.#clear(CLOSES[reason]);
  }

  forget(roomId: ChannelId): void {
    this.#hasLostRooms = true;
    this.#rooms.delete(roomId);
    if (this.#rooms.size === 0 && !this.#isEnded) this.#waitForRoom();
  }

  #take({ parsed, text }: Decoded): void {
    if (parsed.ok) return this.#route(parsed.frame, text);
    this.#fail(parsed.code, parsed, parsed.detail);
    this.#strikes = this.#heardAt - this.#struckAt > TIMES.strikesForgottenMs ? 1 : this.#strikes + 1;
    this.#struckAt = this.#heardAt;
    if (this.#strikes >= LIMITS.strikesPerSocket) this.end("too_many_errors");
  }

  #route(frame: ClientFrame, text: string): void {
    switch (frame.type) {
      case "ping":
        this.#promise();
        return this.#answer({ type: "pong" });
      case "refresh":
        return void this.#refresh(frame.token, text);
      case "join_room":
        return this.#enter(frame, text);
      case "leave_room":
        return this.#leaveRoom(frame.roomId, text);
      case "received":
        this.#promise();
        return this.#write(frame, text);
      case "message":
      case "typing":
      case "read":
        return this.#write(frame, text);
    }
  }

  #write(frame: Exclude<ClientFrame, { type: "ping" | "refresh" | "leave_room" }>, text: string): void {
    const roomId = frame.roomId ?? this.#guest.roomId;
    const room = this.#rooms.get(roomId);
    const isTooLate = frame.type === "message" && room?.isBeingLeft === true;
    if (room !== undefined && !isTooLate) return room.write(frame, text);
    // Only the room knows which messages it has, from before it was left or lost.
    const isCertain = frame.type === "message" && room === undefined && !this.#hasLostRooms;
    const clientMessageId = isCertain ? frame.clientMessageId : undefined;
    this.#refuse(frame.type, "forbidden", { roomId, clientMessageId }, "Join the room first");
  }

  #enter(frame: Extract<ClientFrame, { type: "join_room" }>, text: string): void {
    const { roomId, since } = frame;
    const room = this.#rooms.get(roomId);
    if (room !== undefined && !room.isBeingLeft) return this.#write(frame, text);
    const taken = [...this.#rooms.values()].filter(({ isBeingLeft }) => !isBeingLeft).length;
    if (taken >= LIMITS.roomsPerSocket)
      return this.#refuse(frame.type, "forbidden", { roomId }, `At most ${LIMITS.roomsPerSocket} rooms on one socket`);
    if (room === undefined) this.#join(roomId, since);
    else this.#write(frame, text);
  }

  #join(roomId: ChannelId, since: Guest["since"]): void {
    if (RESERVED_CHANNEL_IDS.has(roomId)) return this.#refuse("join_room", "room_not_found", { roomId });
    const retryAfterMs = this.#joins.take();
    if (retryAfterMs !== undefined) return this.#refuse("join_room", "rate_limited", { roomId, retryAfterMs });
    clearTimeout(this.#roomless);
    this.#rooms.set(roomId, new RoomSession(this, roomId, since));
  }

  #leaveRoom(roomId: ChannelId, text: string): void {
    const room = this.#rooms.get(roomId);
    if (room === undefined) this.#answer({ type: "room_left", roomId });
    else room.leave(text);
  }

  // Rooms verify it as well, and must have it before whatever the client says after it.
  async #refresh(token: string, text: string): Promise<void> {
    for (const room of this.#rooms.values()) room.refresh(token, text);
    try {
      const claims = await verifyChatToken(this.#deps.tokenKeys, "ws", token, this.now());
      if (claims.userId !== this.#guest.claims.userId || claims.app !== this.#guest.claims.app)
        throw new ChatError("bad_claims", { detail: "The new token is another user's" });
      if (this.#isEnded) return;
      this.token = token;
      this.#expireAt(claims.expiresAt);
    } catch (error) {
      if (error instanceof ChatError) this.end(closeFor(error.code), error.message);
      else this.end("internal");
    }
  }

  /** Who pings, or says what it has received, will go on: its rooms may know at once, and take its silence for death. */
  #promise(): void {
    if (!this.#keepsAlive) this.#keptAliveAt = 0;
    this.#keepsAlive = true;
  }

  // Who is heard of in one room, or by pings to us, is here in all of them.
  #keepRoomsAlive(): void {
    if (this.#heardAt < this.#keptAliveAt + KEEP_ALIVE_INTERVAL_MS) return;
    this.#keptAliveAt = this.#heardAt;
    for (const room of this.#rooms.values()) room.keepAlive(this.#keepsAlive);
  }

  #tick(): void {
    this.#believeClock();
    if (this.#keepsAlive && this.now() > this.#heardAt + TIMES.deadSocketMs) return this.end("resync");
    const rooms: Record<ChannelId, number> = {};
    for (const [roomId, { head }] of this.#rooms) if (head !== undefined) rooms[roomId] = head;
    if (Object.keys(rooms).length > 0) this.send({ type: "heads", rooms });
  }

  // A clock that has jumped, or a process that stood still, says nothing about the client's silence.
  #believeClock(): void {
    const now = this.now();
    if (now < this.#tickedAt || now > this.#tickedAt + 2 * TIMES.headsMs) this.#heardAt = now;
    this.#tickedAt = now;
  }

  #expireAt(expiresAt: number): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.end("token_expired"), expiresAt - this.now() + TIMES.expiryGraceMs);
  }

  // Rooms count the sockets of a user; one that is in none is counted by nobody, so it may not stay.
  #waitForRoom(): void {
    clearTimeout(this.#roomless);
    this.#roomless = setTimeout(() => this.end("resync", "No room joined for a minute"), TIMES.roomlessMs);
  }

  /** What no room hears of, and so none can tell the audit log. */
  #refuse(
    operation: ClientFrame["type"],
    code: ErrorCode,
    place: ErrorPlace & { roomId: ChannelId },
    message?: string,
  ): void {
    this.#fail(code, place, message);
    const { app, userId, issuedAt } = this.#guest.claims;
    const caller = { by: "token", app, userId, name: undefined, issuedAt } as const;
    const asked = { operation, channelId: place.roomId, isUnlimited: true } as const;
    this.#deps.refused.note(caller, asked, { code }, this.#connectionId);
  }

  #fail(
    code: ErrorCode,
    { roomId, clientMessageId, retryAfterMs }: ErrorPlace,
    message: string = ERRORS[code].title,
  ): void {
    this.#answer({
      type: "error",
      code,
      message,
      ...(roomId !== undefined && { roomId }),
      ...(clientMessageId !== undefined && { clientMessageId }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }

  #answer(frame: ServerFrame): void {
    if (this.#answers.take() === undefined) this.send(frame);
    else this.end("rate_limited");
  }

  /** The client has gone: so do the sockets to its rooms, at once, because that is how rooms learn it. */
  #leave(code: number): void {
    closeQuietly(this.#socket, code);
    if (!this.#isEnded) this.#clear(code);
  }

  #clear(code: number): void {
    this.#isEnded = true;
    this.#log("closed", { code, ms: this.now() - this.#openedAt });
    clearInterval(this.#heads);
    clearTimeout(this.#expiry);
    clearTimeout(this.#roomless);
    for (const room of this.#rooms.values()) room.close();
    this.#rooms.clear();
  }

  #log(did: "opened" | "closed", end: { code?: number; ms?: number } = {}): void {
    const { claims, roomId, userAgent } = this.#guest;
    const connectionId = this.#connectionId;
    this.#deps.log({ event: "socket", did, connectionId, userId: claims.userId, roomId, userAgent, ...end });
  }
}
