import { PresencePace } from "../domain/room/presence-pace.ts";
import { Roster, type PresenceChange } from "../domain/room/roster.ts";
import { Typing, type TypingNews } from "../domain/room/typing.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import type { ChannelId, UserId } from "../protocol/ids.ts";
import { LIMITS, TIMES } from "../protocol/limits.ts";
import type { Durable } from "./durable.ts";
import type { FanOut } from "./fan-out.ts";
import { type AwayRecord, KEYS } from "./kept.ts";
import type { PresenceReporter } from "./presence-reporter.ts";
import { save, type Session, type Sessions } from "./session.ts";

export interface AttendanceDeps {
  sessions: Sessions;
  fanOut: FanOut;
  now: () => number;
  /** Calls back after a time too short for an alarm. */
  after: (ms: number, callback: () => void) => void;
  durable: Durable;
  /** Learns who came and who has gone, for the board that spans rooms. */
  reporter: Pick<PresenceReporter, "seen">;
}

/** Who is here, who is typing and how far they have read, and telling the others: gathered, and only what changed. */
export class Attendance {
  readonly roster = new Roster();
  readonly typing = new Typing();
  readonly #deps: AttendanceDeps;
  readonly #away = new Set<UserId>();
  readonly #marks = new Map<UserId, number>();
  readonly #pace = new PresencePace();
  #telling = false;
  #wasCrowded = false;
  #toldAt = 0;
  #roomId: ChannelId | undefined;

  constructor(deps: AttendanceDeps) {
    this.#deps = deps;
  }

  /** Rebuilds everything, at a room's first opening and at every waking, from the live sockets and what was kept of people who had just left. */
  resume(roomId: ChannelId, away: ReadonlyMap<UserId, AwayRecord> = new Map()): void {
    this.#roomId = roomId;
    this.#toldAt = this.#deps.now();
    for (const { state } of this.#deps.sessions) {
      if (!state.present) continue;
      this.roster.enter(state.userId, state.username, state.announced);
      if (state.typingUntil > 0) this.typing.restore(state.userId, state.typingUntil);
    }
    for (const [userId, { username, leftAt }] of away) {
      this.#away.add(userId);
      // After a crash nobody is left who could believe anybody here. Who left later than now did so before the clock was
      // set back: nobody knows how long ago.
      if (this.#deps.sessions.size > 0) this.roster.restoreAway(userId, username, leftAt <= this.#toldAt ? leftAt : 0);
      if (this.roster.isOnline(userId) || this.#deps.sessions.size === 0) this.#forgetAway(userId);
    }
    this.#wasCrowded = this.roster.isCrowded();
    if (this.roster.hasNews()) this.#tellSoon();
  }

  /** The socket's user is here by it. */
  arrive(session: Session): void {
    const { userId, username } = session.state;
    this.roster.enter(userId, username);
    this.#forgetAway(userId);
    session.state.present = true;
    session.state.announced = this.roster.isAnnounced(userId);
    save(session);
    this.#deps.reporter.seen(userId, true);
    if (this.roster.hasNews()) this.#tellSoon();
  }

  /** The socket's user is no longer here by it; with other sockets they stay. */
  depart(session: Session, graceMs: number = TIMES.presenceGraceMs): void {
    const { state } = session;
    if (!state.present) return;
    const now = this.#deps.now();
    state.present = false;
    state.announced = false;
    state.typingUntil = 0;
    save(session);
    const believed = this.roster.leave(state.userId, now, graceMs);
    if (this.roster.isOnline(state.userId)) return;
    this.typing.stop(state.userId);
    if (!believed) return this.#gone(state.userId);
    if (graceMs === 0) return this.#tellSoon();
    this.#away.add(state.userId);
    const record: AwayRecord = { username: state.username, leftAt: now };
    this.#deps.durable.keep({ [KEYS.away(state.userId)]: record });
    this.#deps.durable.wakeBy(now + graceMs);
    this.#tellTyping();
  }

  /** The same for a socket whose close is what woke the room, so that it was not among the live ones. */
  departUnseen(session: Session): void {
    const { userId, username, announced, typingUntil } = session.state;
    this.roster.enter(userId, username, announced);
    if (typingUntil > 0) this.typing.restore(userId, typingUntil);
    this.depart(session);
  }

  setTyping(session: Session, isTyping: boolean): void {
    const { state } = session;
    if (isTyping) this.typing.start(state.userId, this.#deps.now());
    else this.typing.stop(state.userId);
    this.#tellTyping();
    const until = this.typing.until(state.userId);
    for (const own of this.#deps.sessions.of(state.userId)) {
      const typingUntil = own === session ? until : Math.min(own.state.typingUntil, until);
      if (own.state.typingUntil === typingUntil) continue;
      own.state.typingUntil = typingUntil;
      save(own);
    }
  }

  /** How far the user has read; never back. @returns false when it is no news. */
  markRead({ state }: Session, seq: number): boolean {
    const own = [...this.#deps.sessions.of(state.userId)];
    if (own.some((session) => session.state.readSeq >= seq)) return false;
    for (const session of own) session.state.readSeq = seq;
    this.#marks.set(state.userId, seq);
    this.#tellSoon();
    return true;
  }

  /** Tells the others what is due: typing at once, who has gone together with all that changes about now. */
  tellDue(): void {
    const now = this.#deps.now();
    this.#tellTyping();
    if (this.roster.hasNews() || (this.roster.nextGoneAt() ?? Infinity) <= now) this.#tellSoon();
  }

  /** A reader that was behind since `stoppedAt` is level again: if anything was told meanwhile it learns who is here. */
  tellMissed(session: Session, stoppedAt: number): void {
    const { fanOut } = this.#deps;
    if (this.#toldAt >= stoppedAt) fanOut.toOne(session, JSON.stringify(this.#countFrame()));
    for (const { userId, isTyping } of this.#typists(session))
      if (isTyping) fanOut.toOne(session, JSON.stringify(this.#typingFrame({ userId, isTyping })));
  }

  /** What a reader is told before it hears nothing more for now: that nobody types, as it would not hear of their end. */
  typingEnds(session: Session): string[] {
    return this.#typists(session).map(({ userId }) => JSON.stringify(this.#typingFrame({ userId, isTyping: false })));
  }

  /** When there is something to tell that no timer is set for. */
  nextAt(): number | undefined {
    const goneAt = this.#telling ? undefined : this.roster.nextGoneAt();
    const times = [goneAt, this.typing.nextAt(this.#deps.now())].filter((at) => at !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #tellSoon(): void {
    if (this.#telling) return;
    this.#telling = true;
    this.#deps.after(this.#pace.gatherMs(this.#deps.now(), this.roster.isCrowded()), () => {
      this.#telling = false;
      this.#tellGathered();
    });
  }

  #tellGathered(): void {
    const now = this.#deps.now();
    const changes = this.roster.takeChanges(now);
    this.#pace.told(changes.length, now);
    this.#tellTyping();
    this.#tellPresence(changes);
    this.#tellMarks();
    if (this.roster.hasNews()) this.#tellSoon();
    this.#deps.durable.wakeBy(this.nextAt());
  }

  #tellTyping(): void {
    for (const news of this.typing.takeNews(this.#deps.now())) this.#toOthers(news.userId, this.#typingFrame(news));
    this.#deps.durable.wakeBy(this.typing.nextAt(this.#deps.now()));
  }

  /** Whom the reader may believe to be typing. */
  #typists({ state }: Session): TypingNews[] {
    return this.typing.told(this.#deps.now()).filter(({ userId }) => userId !== state.userId);
  }

  #typingFrame({ userId, isTyping }: TypingNews): ServerFrame {
    return { type: "typing_indicator", ...this.#room(), userId, username: this.#nameOf(userId), isTyping };
  }

  #tellPresence(changes: PresenceChange[]): void {
    if (changes.length === 0) return;
    this.#toldAt = this.#deps.now();
    for (const { userId, status } of changes) {
      if (status === "offline") this.#gone(userId);
      else this.#markAnnounced(userId);
    }
    const crowded = this.roster.isCrowded();
    // A room that has just emptied below the limit tells everybody's name once, so that differences make sense again.
    if (crowded || this.#wasCrowded) this.#toAll(this.#countFrame());
    else if (changes.length > LIMITS.presenceSingles) this.#tellChanges(changes);
    else
      for (const change of changes)
        this.#toOthers(change.userId, { type: "presence", ...this.#room(), ...shown(change) });
    this.#wasCrowded = crowded;
  }

  // One text for all: leaving each person out of their own would write the frame anew for everybody it names.
  #tellChanges(changes: PresenceChange[]): void {
    const memberCount = this.roster.size;
    this.#toAll({ type: "presence_changes", ...this.#room(), memberCount, changes: changes.map(shown) });
  }

  #countFrame(): ServerFrame {
    const sample = this.roster.members();
    return { type: "presence_count", ...this.#room(), memberCount: this.roster.size, sample };
  }

  // In a crowd a mark is of use to nobody but the reader's own other windows.
  #tellMarks(): void {
    for (const [userId, seq] of this.#marks) {
      const frame: ServerFrame = { type: "read", ...this.#room(), userId, seq };
      for (const session of this.#deps.sessions.of(userId)) save(session);
      if (!this.roster.isCrowded()) this.#toAll(frame);
      else
        for (const session of this.#deps.sessions.of(userId)) this.#deps.fanOut.toOne(session, JSON.stringify(frame));
    }
    this.#marks.clear();
  }

  #markAnnounced(userId: UserId): void {
    for (const session of this.#deps.sessions.of(userId)) {
      if (!session.state.present) continue;
      session.state.announced = true;
      save(session);
    }
  }

  #gone(userId: UserId): void {
    this.#forgetAway(userId);
    this.#deps.reporter.seen(userId, false);
  }

  #forgetAway(userId: UserId): void {
    if (this.#away.delete(userId)) this.#deps.durable.forget([KEYS.away(userId)]);
  }

  #toAll(frame: ServerFrame): void {
    this.#deps.fanOut.toAll(JSON.stringify(frame));
  }

  #toOthers(userId: UserId, frame: ServerFrame): void {
    this.#deps.fanOut.toAll(JSON.stringify(frame), userId);
  }

  #nameOf(userId: UserId): string {
    return this.roster.nameOf(userId) ?? userId;
  }

  #room(): { roomId: ChannelId } {
    if (this.#roomId === undefined) throw new Error("Nobody is in a room that was never opened");
    return { roomId: this.#roomId };
  }
}

function shown({ userId, username, status, lastSeenAt }: PresenceChange) {
  return { userId, username, status, lastSeen: new Date(lastSeenAt).toISOString() };
}
