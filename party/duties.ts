import { dueAt } from "../domain/steady-clock.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import { TIMES } from "../protocol/limits.ts";
import { LATE_ALARM_MS } from "./durable.ts";
import { pruneOrder } from "./order.ts";
import type { PresenceReporter } from "./presence-reporter.ts";
import type { ChatRoom } from "./room.ts";
import { save, type Session } from "./session.ts";

/** What a room does by the clock, and the one alarm that wakes it for whatever comes first. */
export class Duties {
  readonly #room: ChatRoom;
  readonly #reporter: PresenceReporter;
  #headsAt = 0;

  constructor(room: ChatRoom, reporter: PresenceReporter) {
    this.#room = room;
    this.#reporter = reporter;
  }

  /** @param alarmAt The alarm found on waking. None is set while one is being run: then the heads may well be due. */
  resume(alarmAt: number | undefined): void {
    this.#headsAt = dueAt(alarmAt ?? 0, this.#now(), TIMES.headsMs);
  }

  /** A socket has joined: there is somebody to send heads to, and a token that will end. */
  joined(session: Session): void {
    if (this.#headsAt <= this.#now()) this.#headsAt = this.#now() + TIMES.headsMs;
    this.#room.durable.wakeBy(this.#nextFor(session));
  }

  /** Ends sockets whose token has ended, and those that are dead. */
  endOverdue(): void {
    const now = this.#now();
    const wall = this.#room.deps.now();
    for (const session of this.#room.sessions) {
      this.#forgive(session);
      const { expiresAt, heardAt, keepsAlive, present, behind } = session.state;
      if (expiresAt + TIMES.expiryGraceMs <= wall) this.#room.end(session, "token_expired");
      else if (behind !== undefined && behind.progressAt + TIMES.slowReaderMs <= now)
        this.#room.end(session, "slow_consumer");
      else if (heardAt + TIMES.deadSocketMs > now) continue;
      else if (keepsAlive || present) this.#endSilence(session, keepsAlive);
    }
  }

  /** Its silence has been grace enough. It may be alive and only listening: docs/decisions/0006-silent-sockets.md */
  #endSilence(session: Session, isDead: boolean): void {
    this.#room.attendance.depart(session, 0);
    if (isDead) this.#room.end(session, "resync");
  }

  /** Tells every socket the newest position, so that one that has missed the last message finds out. */
  sendHeads(): void {
    const { life, fanOut } = this.#room;
    if (life === undefined || this.#now() < this.#headsAt) return;
    const frame: ServerFrame = { type: "heads", rooms: { [life.identity.channelId]: life.head.seq } };
    fanOut.toAll(JSON.stringify(frame));
    this.#headsAt = this.#now() + TIMES.headsMs;
  }

  prune(): void {
    const { order, durable, outbox } = this.#room;
    if (order !== undefined) pruneOrder(order, durable, outbox.storedSeq, this.#now());
  }

  /** Sets the alarm for whatever comes first. */
  schedule(): void {
    const { outbox, attendance, sessions, durable, refusalLog } = this.#room;
    let next = Infinity;
    for (const part of [outbox, refusalLog, attendance, this.#reporter])
      next = Math.min(next, part.nextAt() ?? Infinity);
    for (const session of sessions) next = Math.min(next, this.#nextFor(session));
    if (next < Infinity) durable.wakeBy(Math.max(next, this.#now()));
  }

  /**
   * An alarm rings when a silence is long enough. If it is a good deal longer, the room was not running, or the clock has
   * been set ahead: that is not the client's silence.
   */
  #forgive(session: Session): void {
    const { state } = session;
    const now = this.#now();
    const isSilence = state.keepsAlive || state.present;
    const isForgiven = isSilence && now - state.heardAt > TIMES.deadSocketMs + LATE_ALARM_MS;
    if (isForgiven) state.heardAt = now;
    const { behind } = state;
    const isForgivenSlow = behind !== undefined && now - behind.progressAt > TIMES.slowReaderMs + LATE_ALARM_MS;
    if (isForgivenSlow) behind.progressAt = now;
    if (isForgiven || isForgivenSlow) save(session);
  }

  #nextFor({ state }: Session): number {
    const expiresAt = this.#room.clock.fromWall(state.expiresAt + TIMES.expiryGraceMs);
    const silentAt = state.keepsAlive || state.present ? state.heardAt + TIMES.deadSocketMs : Infinity;
    const slowAt = state.behind === undefined ? Infinity : state.behind.progressAt + TIMES.slowReaderMs;
    return Math.min(expiresAt, silentAt, slowAt, state.joined ? this.#headsAt : Infinity);
  }

  #now(): number {
    return this.#room.clock.now();
  }
}
