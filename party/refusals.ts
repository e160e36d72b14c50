import { ChatError, type ErrorCode } from "../protocol/errors.ts";
import type { ClientFrame, ParsedFrame } from "../protocol/frames.ts";
import type { ClientMessageId } from "../protocol/ids.ts";
import { LIMITS, TIMES } from "../protocol/limits.ts";
import type { ChatRoom } from "./room.ts";
import { save, type Session } from "./session.ts";

const COUNTED: ReadonlySet<ErrorCode> = new Set(["rate_limited", "blocked_by_moderation"]);
/** Messages past the limit or not allowed, in one window, that a client may be told of before it is sent away. */
const REFUSALS_MAX = 300;

/** Tells clients why something they sent was not taken, and sends away those that do not stop. */
export class Refusals {
  readonly #room: ChatRoom;

  constructor(room: ChatRoom) {
    this.#room = room;
  }

  /**
   * A frame that could be read and is refused.
   *
   * @param fate Of a message: an answer with its id says that it is certainly not stored, so where it may have been, when it
   *   came before, the answer has no id.
   */
  refuse(session: Session, frame: ClientFrame, error: unknown, fate: "not stored" | "unknown"): void {
    const refusal = error instanceof ChatError ? error : new ChatError("internal");
    if (refusal !== error) this.#room.deps.log.error("frame_failed", error, { type: frame.type });
    const clientMessageId = frame.type === "message" ? frame.clientMessageId : undefined;
    this.#tell(session, refusal, fate === "not stored" ? clientMessageId : undefined);
    if (frame.type === "message" && refusal === error) this.#note(session, refusal.code, clientMessageId);
    if (COUNTED.has(refusal.code)) this.#count(session, refusal.code);
  }

  /** A frame nobody can read: told, and after ten of them the client is sent away. */
  strike(
    session: Session,
    { code, detail, clientMessageId }: Pick<Extract<ParsedFrame, { ok: false }>, "code" | "detail" | "clientMessageId">,
  ): void {
    const { state } = session;
    const now = this.#room.clock.now();
    state.strikes = now - state.lastStrikeAt > TIMES.strikesForgottenMs ? 1 : state.strikes + 1;
    state.lastStrikeAt = now;
    save(session);
    this.#tell(session, new ChatError(code, { detail }), clientMessageId);
    if (state.strikes >= LIMITS.strikesPerSocket) this.#room.end(session, "too_many_errors");
  }

  #note({ connection, state }: Session, code: ErrorCode, clientMessageId: ClientMessageId | undefined): void {
    const { channelId } = this.#room.requireLife().identity;
    const requestId = clientMessageId ?? connection.id;
    this.#room.refusalLog.note({ action: "message.refuse", userId: state.userId, channelId, code, requestId });
  }

  #count(session: Session, code: ErrorCode): void {
    const { userId } = session.state;
    const { deps, clock } = this.#room;
    const roomId = this.#room.requireLife().identity.channelId;
    const count = this.#room.requireOrder().limit.refuse(userId, clock.now());
    const { RATE_LIMIT_MAX_MESSAGES: messageCount, RATE_LIMIT_WINDOW_MS: timeWindow } = deps.settings;
    if (count === 1) deps.log.note(code, { userId, roomId, messageCount, timeWindow });
    if (count > REFUSALS_MAX) this.#room.end(session, "rate_limited");
  }

  #tell(session: Session, { code, message, retryAfterMs }: ChatError, clientMessageId?: ClientMessageId): void {
    this.#room.tell(session, {
      type: "error",
      code,
      message,
      roomId: this.#room.requireLife().identity.channelId,
      ...(clientMessageId !== undefined && { clientMessageId }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }
}
