import type { RoomEvent } from "../domain/ports/history.ts";
import { decideMessage, type MessageDecision } from "../domain/room/accept-message.ts";
import type { ClientFrame, ServerFrameOf } from "../protocol/frames.ts";
import type { ChannelId, ClientMessageId } from "../protocol/ids.ts";
import { KEYS } from "./kept.ts";
import type { ChatRoom } from "./room.ts";
import { Recall } from "./recall.ts";
import type { Session } from "./session.ts";

export type MessageFrame = Extract<ClientFrame, { type: "message" }>;

/** What becomes of a message: decided from memory, kept, acked to its author and shown to everybody. */
export class Messages {
  readonly #room: ChatRoom;
  readonly #recall: Recall;
  #inBurst = false;
  #hasMoved = false;

  constructor(room: ChatRoom) {
    this.#room = room;
    this.#recall = new Recall(room);
  }

  /** Takes what came together: all of it is one transaction, for which the head is written once. Never throws. */
  together(callback: () => void): void {
    this.#inBurst = true;
    try {
      callback();
      if (this.#hasMoved) this.#room.durable.keepOne(KEYS.head, this.#room.requireLife().head);
      this.#hasMoved = false;
    } catch (error) {
      this.#room.deps.log.error("burst_failed", error); // the head follows with the next message: the log is what counts
    } finally {
      this.#inBurst = false;
    }
  }

  /** Has history asked about a message's id when `take` could not know it. Undefined: nothing has to be waited for. */
  recall({ state }: Session, { clientMessageId }: MessageFrame): Promise<void> | undefined {
    return clientMessageId === undefined || !state.joined ? undefined : this.#recall.ask(state.userId, clientMessageId);
  }

  /**
   * Takes a message, after `recall`. No await from here to the end: what is stored, acked and told is one step, in the order the frames
   * came.
   *
   * @throws {ChatError} `bad_content`, `content_too_long`, `duplicate_conflict`, `muted`, `rate_limited`, `history_backlog`,
   *   `blocked_by_moderation`: then it is certainly not stored
   */
  take(session: Session, { content, clientMessageId }: MessageFrame): void {
    const { deps, outbox, clock } = this.#room;
    const { log, limit } = this.#room.requireOrder();
    const { userId, username, mutedUntil } = session.state;
    const known = clientMessageId === undefined ? undefined : this.#recall.find(userId, clientMessageId);
    const decision = decideMessage(
      {
        log,
        known,
        limit,
        filter: this.#room.moderation.filter(),
        maxCodePoints: deps.settings.MAX_MESSAGE_LENGTH,
        backlog: outbox.backlog,
      },
      { id: deps.newId(), userId, username, content, clientMessageId, mutedUntil: clock.fromWall(mutedUntil) },
      clock.now(),
    );
    const { event } = decision;
    const bytes = event === undefined ? 0 : this.#keep(event);
    this.#ack(session, clientMessageId, decision);
    if (event !== undefined) this.#room.readers.show(event, bytes);
    if (session.state.typingUntil > 0) this.#room.attendance.setTyping(session, false);
  }

  /** Keeps an event for good: in storage first, so that nobody is told of what is not kept. */
  #keep(event: RoomEvent): number {
    const { log, limit } = this.#room.requireOrder();
    const life = this.#room.requireLife();
    const head = { seq: event.seq, at: event.at };
    if (this.#inBurst) this.#room.durable.keepOne(KEYS.event(event.seq), event);
    else this.#room.durable.keep({ [KEYS.head]: head, [KEYS.event(event.seq)]: event });
    this.#hasMoved = this.#inBurst;
    life.head = head;
    limit.note(event.userId, this.#room.clock.now());
    const bytes = log.append(event);
    this.#room.outbox.eventKept(event, bytes);
    return bytes;
  }

  #ack(
    session: Session,
    clientMessageId: ClientMessageId | undefined,
    { event, seq, id, at, moderation }: MessageDecision,
  ): void {
    const ack: ServerFrameOf<"ack"> = {
      type: "ack",
      roomId: this.#roomId(),
      messageId: id,
      seq,
      epoch: this.#room.requireOrder().log.epoch,
      timestamp: new Date(at).toISOString(),
      duplicate: event === undefined,
    };
    if (clientMessageId !== undefined) ack.clientMessageId = clientMessageId;
    if (moderation !== undefined) ack.moderation = moderation;
    this.#room.tell(session, ack);
  }

  #roomId(): ChannelId {
    return this.#room.requireLife().identity.channelId;
  }
}
