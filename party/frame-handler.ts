import { TokenBucket } from "../domain/token-bucket.ts";
import { SOCKET_RENEWED_MS } from "../domain/visits.ts";
import { ChatError, closeFor } from "../protocol/errors.ts";
import { type ClientFrame, parseClientFrame, splitLines } from "../protocol/frames.ts";
import type { ChannelId } from "../protocol/ids.ts";
import { isFrameTooBig, LIMITS } from "../protocol/limits.ts";
import { Refusals } from "./refusals.ts";
import type { ChatRoom } from "./room.ts";
import { save, type Session } from "./session.ts";

/** Frames of one socket that may wait behind one that has to be looked up. */
const WAITING_MAX = 512;
/** Frames for each message somebody may write: retries, pings, signs of typing, marks. */
const FRAMES_PER_MESSAGE = 20;
const MINUTE_MS = 60_000;
/** What must not be lost by sleeping is saved at least this often. */
const HEARD_SAVED_MS = 10_000;

/** Reads what clients send, one frame after the other in the order they came, and answers. */
export class FrameHandler {
  readonly #room: ChatRoom;
  readonly #refusals: Refusals;
  readonly #inboxes = new Map<Session, string[]>();
  readonly #budgets = new WeakMap<Session, TokenBucket>();

  constructor(room: ChatRoom) {
    this.#room = room;
    this.#refusals = new Refusals(room);
  }

  /** The promise is only there while a frame waits for something; the socket's later frames wait behind it. */
  take(session: Session, message: unknown): Promise<void> | undefined {
    this.#heard(session);
    if (typeof message !== "string") return this.#room.end(session, "unsupported_data") as undefined;
    const texts = session.state.lines ? splitLines(message) : [message];
    if (texts.length > LIMITS.framesPerMessage || texts.some(isFrameTooBig))
      return this.#room.end(session, "frame_too_big") as undefined;
    const waiting = this.#inboxes.get(session);
    if (waiting !== undefined) {
      waiting.push(...(texts.length === 0 ? [""] : texts));
      if (waiting.length > WAITING_MAX) this.#room.end(session, "rate_limited");
      return undefined;
    }
    return this.#drain(session, texts.length === 0 ? [""] : texts);
  }

  #drain(session: Session, inbox: string[]): Promise<void> | undefined {
    for (let text = inbox.shift(); text !== undefined; text = inbox.shift()) {
      const work = this.#takeOne(session, text);
      if (work === undefined) continue;
      this.#inboxes.set(session, inbox);
      return work.then(() => this.#drain(session, inbox));
    }
    this.#inboxes.delete(session);
    return undefined;
  }

  #takeOne(session: Session, text: string): Promise<void> | undefined {
    if (!this.#isLive(session)) return undefined;
    const parsed = parseClientFrame(text);
    // What says what has arrived is answered by nothing but the log.
    const isReceipt = parsed.ok && parsed.frame.type === "received";
    if (!isReceipt && this.#isFlood(session)) return undefined;
    if (!parsed.ok) return this.#refusals.strike(session, parsed) as undefined;
    const frame = parsed.frame;
    if (frame.type !== "message" && frame.type !== "join_room") return this.#handle(session, frame);
    const loading = this.#room.loadOrder();
    if (loading === undefined) return this.#recall(session, frame);
    return loading.then(
      () => this.#recall(session, frame),
      (error: unknown) => this.#refusals.refuse(session, frame, error, "unknown"),
    );
  }

  /** A message with a client id that may be an old one waits until history has said what it knows of it. */
  #recall(session: Session, frame: ClientFrame): Promise<void> | undefined {
    const asking = frame.type === "message" ? this.#room.messages.recall(session, frame) : undefined;
    if (asking === undefined) return this.#handle(session, frame);
    return asking.then(
      () => this.#handle(session, frame),
      (error: unknown) => this.#refusals.refuse(session, frame, error, "unknown"),
    );
  }

  #handle(session: Session, frame: ClientFrame): Promise<void> | undefined {
    if (!this.#isLive(session)) return undefined;
    try {
      return this.#dispatch(session, frame);
    } catch (error) {
      this.#refusals.refuse(session, frame, error, this.#isDecided(session, error) ? "not stored" : "unknown");
      return undefined;
    }
  }

  /** What is thrown on purpose after everything that is stored could be looked at. */
  #isDecided({ state }: Session, error: unknown): boolean {
    return error instanceof ChatError && state.joined && this.#room.order !== undefined;
  }

  #dispatch(session: Session, frame: ClientFrame): Promise<void> | undefined {
    if (frame.type !== "received") this.#room.readers.heard(session);
    switch (frame.type) {
      case "ping":
        this.#keepsAlive(session);
        this.#room.tell(session, { type: "pong" });
        return undefined;
      case "received":
        this.#keepsAlive(session);
        this.#room.readers.received(session, frame.seq);
        return undefined;
      case "refresh":
        return this.#refresh(session, frame.token);
      default:
        if (this.#isExpired(session)) return undefined;
        this.#requireThisRoom(frame.roomId);
        return this.#act(session, frame) as undefined;
    }
  }

  #act(session: Session, frame: Exclude<ClientFrame, { type: "ping" | "received" | "refresh" }>): void {
    if (frame.type === "join_room") return this.#room.door.joinAgain(session, frame.since);
    if (!session.state.joined) throw new ChatError("forbidden", { detail: "Join the room first" });
    switch (frame.type) {
      case "message":
        return this.#room.messages.take(session, frame);
      case "leave_room":
        return this.#room.door.leave(session);
      case "typing":
        return this.#room.attendance.setTyping(session, frame.isTyping);
      case "read":
        return this.#read(session, frame.seq);
    }
  }

  #read(session: Session, seq: number): void {
    const mark = Math.min(seq, this.#room.requireLife().head.seq);
    if (mark === 0 || !this.#room.attendance.markRead(session, mark)) return;
    const { userId } = session.state;
    this.#room.keepReadMark(userId, mark);
  }

  async #refresh(session: Session, token: string): Promise<void> {
    try {
      const claims = await this.#room.deps.verify("ws", token);
      const { userId, app } = session.state;
      if (claims.userId !== userId || claims.app !== app) throw new ChatError("bad_claims");
      await this.#room.orders.requireUnrevoked(session, claims);
      if (this.#room.deps.now() - session.state.openedAt > SOCKET_RENEWED_MS) return this.#room.end(session, "restart");
      session.state.expiresAt = claims.expiresAt;
      session.state.issuedAt = claims.issuedAt;
      save(session);
    } catch (error) {
      this.#room.end(session, error instanceof ChatError ? closeFor(error.code) : "internal");
    }
  }

  #isExpired(session: Session): boolean {
    if (this.#room.deps.now() < session.state.expiresAt) return false;
    this.#room.end(session, "token_expired");
    return true;
  }

  /** Each frame is work, and an answer that may never be read: whoever does not stop is sent away. */
  #isFlood(session: Session): boolean {
    const budget = this.#budgets.get(session) ?? this.#openBudget();
    this.#budgets.set(session, budget);
    if (budget.take() === undefined) return false;
    this.#room.end(session, "rate_limited");
    return true;
  }

  #openBudget(): TokenBucket {
    const { RATE_LIMIT_MAX_MESSAGES: messages, RATE_LIMIT_WINDOW_MS: windowMs } = this.#room.deps.settings;
    const burst = Math.max(LIMITS.answersPerMinute, (FRAMES_PER_MESSAGE * messages * MINUTE_MS) / windowMs);
    return new TokenBucket({ burst, everyMs: MINUTE_MS / burst }, this.#room.clock.now);
  }

  /** Not ended by an earlier frame, or while this one waited. */
  #isLive(session: Session): boolean {
    return this.#room.sessions.find(session.connection) === session;
  }

  #requireThisRoom(roomId: ChannelId | undefined): void {
    if (roomId !== undefined && roomId !== this.#roomId())
      throw new ChatError("bad_frame", { detail: "This socket is for one room; open another for that one" });
  }

  #heard(session: Session): void {
    const { state } = session;
    session.unheardChars = 0;
    const now = this.#room.clock.now();
    const saveIt = now - state.heardAt > HEARD_SAVED_MS;
    state.heardAt = now;
    if (saveIt) save(session);
    if (state.joined && !state.present) this.#room.attendance.arrive(session);
  }

  // From now on this socket's silence means that it is dead.
  #keepsAlive(session: Session): void {
    if (session.state.keepsAlive) return;
    session.state.keepsAlive = true;
    save(session);
  }

  #roomId(): ChannelId {
    return this.#room.requireLife().identity.channelId;
  }
}
