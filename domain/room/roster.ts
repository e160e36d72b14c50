import type { RoomMember } from "../../protocol/frames.ts";
import type { UserId } from "../../protocol/ids.ts";
import { LIMITS, TIMES } from "../../protocol/limits.ts";

/** How many people a crowded room names when it tells how many there are. */
export const ROSTER_SAMPLE = 20;

export interface PresenceChange {
  userId: UserId;
  username: string;
  status: "online" | "offline";
  /** When they were last there: now for somebody who came, when they left for somebody who is gone. */
  lastSeenAt: number;
}

interface Person {
  username: string;
  sockets: number;
  /** The others were told that this person is here. */
  announced: boolean;
  /** Somebody who came later found this person in the list they were given. */
  listed: boolean;
  leftAt: number | undefined;
  /** When, unless they come back, the others are told that this person is gone. */
  goneAt: number | undefined;
}

/**
 * Who is in a room, counted per user from live sockets: two tabs are one person. What changed is held until it is asked
 * for, so that many changes travel together and somebody who comes and goes in between is never mentioned.
 */
export class Roster {
  readonly #people = new Map<UserId, Person>();
  readonly #changed = new Set<UserId>();
  /** Whom the others were told of within the last second, and when; the oldest first. */
  readonly #toldAt = new Map<UserId, number>();

  get size(): number {
    return this.#people.size;
  }

  /** A socket of the user is live. @param announced The others knew of it already: so it is when a room wakes. */
  enter(userId: UserId, username: string, announced = false): void {
    const person = this.#people.get(userId) ?? {
      username,
      sockets: 0,
      announced: false,
      listed: false,
      leftAt: undefined,
      goneAt: undefined,
    };
    this.#people.set(userId, person);
    person.username = username;
    person.sockets += 1;
    person.announced ||= announced;
    person.leftAt = person.goneAt = undefined;
    if (!person.announced) this.#changed.add(userId);
  }

  /** A socket of the user is gone. @returns true when it was the last one and the others still believe them here. */
  leave(userId: UserId, now: number, graceMs: number = TIMES.presenceGraceMs): boolean {
    const person = this.#people.get(userId);
    if (person === undefined) return false;
    person.sockets = Math.max(0, person.sockets - 1);
    if (person.sockets > 0) return false;
    this.#changed.delete(userId);
    if (!person.announced && !person.listed) return !this.#people.delete(userId);
    person.leftAt = now;
    person.goneAt = now + graceMs;
    return true;
  }

  /** Somebody who had left when the room last slept and whom the others still believe here. */
  restoreAway(userId: UserId, username: string, leftAt: number): void {
    if (this.#people.has(userId)) return;
    const goneAt = leftAt + TIMES.presenceGraceMs;
    this.#people.set(userId, { username, sockets: 0, announced: true, listed: true, leftAt, goneAt });
  }

  /** Takes what the others have to be told by now. */
  takeChanges(now: number): PresenceChange[] {
    for (const [userId, at] of this.#toldAt) {
      if (at + TIMES.presenceIntervalMs > now && at <= now) break;
      this.#toldAt.delete(userId);
    }
    const changes = [...this.#takeCome(now), ...this.#takeGone(now)];
    for (const { userId } of changes) this.#toldAt.set(userId, now);
    return changes;
  }

  /** Whether there is something to tell that is not waiting for somebody's grace. */
  hasNews(): boolean {
    return this.#changed.size > 0;
  }

  /** When the next person is told to be gone: their grace has ended then, and they were not spoken of just before. */
  nextGoneAt(): number | undefined {
    let next: number | undefined;
    for (const [userId, { goneAt }] of this.#people)
      if (goneAt !== undefined) next = Math.min(next ?? Infinity, Math.max(goneAt, this.#tellableAt(userId)));
    return next;
  }

  /** Whether the user has a live socket; in the seconds after they left it is no. */
  isOnline(userId: UserId): boolean {
    return (this.#people.get(userId)?.sockets ?? 0) > 0;
  }

  /** Whether the others were told that the user is here. */
  isAnnounced(userId: UserId): boolean {
    return this.#people.get(userId)?.announced ?? false;
  }

  nameOf(userId: UserId): string | undefined {
    return this.#people.get(userId)?.username;
  }

  /** At most `limit` people; everybody in a room that is not crowded. */
  members(limit: number = this.isCrowded() ? ROSTER_SAMPLE : LIMITS.rosterFull): RoomMember[] {
    const members: RoomMember[] = [];
    for (const [userId, { username }] of this.#people) {
      if (members.length >= limit) break;
      members.push({ userId, username, status: "online" });
    }
    return members;
  }

  /** The list that `reader` is given on joining: whoever is in it has to be told of when they go. */
  listFor(reader: UserId): RoomMember[] {
    const members = this.members();
    for (const { userId } of members) {
      const person = this.#people.get(userId);
      if (person !== undefined && userId !== reader) person.listed = true;
    }
    return members;
  }

  isCrowded(): boolean {
    return this.size > LIMITS.rosterFull;
  }

  *userIds(): Iterable<UserId> {
    for (const [userId, { sockets }] of this.#people) if (sockets > 0) yield userId;
  }

  #takeCome(now: number): PresenceChange[] {
    const come: PresenceChange[] = [];
    for (const userId of this.#changed) {
      const person = this.#people.get(userId);
      if (this.#tellableAt(userId) > now) continue;
      this.#changed.delete(userId);
      if (person === undefined || person.announced) continue;
      person.announced = true;
      come.push({ userId, username: person.username, status: "online", lastSeenAt: now });
    }
    return come;
  }

  #takeGone(now: number): PresenceChange[] {
    const gone: PresenceChange[] = [];
    for (const [userId, { username, leftAt, goneAt }] of this.#people)
      if (goneAt !== undefined && goneAt <= now && this.#tellableAt(userId) <= now) {
        this.#people.delete(userId);
        gone.push({ userId, username, status: "offline", lastSeenAt: leftAt ?? now });
      }
    return gone;
  }

  #tellableAt(userId: UserId): number {
    const at = this.#toldAt.get(userId);
    return at === undefined ? 0 : at + TIMES.presenceIntervalMs;
  }
}
