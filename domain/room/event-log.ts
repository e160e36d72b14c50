import type { Since } from "../../protocol/frames.ts";
import type { ClientMessageId, UserId } from "../../protocol/ids.ts";
import type { RoomEvent } from "../ports/history.ts";
import { contentHash } from "./content-hash.ts";

/** How far back a room can replay by itself; clients page HTTP history for what is older. */
export const REPLAY_MAX_EVENTS = 500;
export const REPLAY_MAX_BYTES = 256 * 1024;
/** What a join without a position gets. */
export const REPLAY_DEFAULT_EVENTS = 50;
/** What the log keeps at least of what history has: that many events, and none that is younger than that. */
export const LOG_MAX_EVENTS = 10_000;
export const LOG_MAX_AGE_MS = 72 * 3_600_000;
/** Events leave in lots, because each time a part of the filter of spent ids is written anew. */
export const PRUNE_LOT = 250;

/** What is remembered of a message that came with a client's own id. */
export interface KnownMessage {
  seq: number;
  id: string;
  at: number;
  hash: number;
  moderation: RoomEvent["moderation"];
}

/**
 * A room's order in memory: the newest events to replay, and for every event of the log its time and its client id.
 * Nothing here assumes that an event is a message, but for `content`, which every kind has.
 */
export class EventLog {
  readonly epoch: string;
  readonly #known = new Map<string, KnownMessage>();
  #entries: { at: number; key: string | undefined }[] = [];
  #recent: { event: RoomEvent; bytes: number }[] = [];
  #recentBytes = 0;
  #first: number;
  #lastAt: number;

  /** @param first The `seq` of the first event that will be appended. */
  constructor(epoch: string, first: number, lastAt = 0) {
    this.epoch = epoch;
    this.#first = first;
    this.#lastAt = lastAt;
  }

  get head(): number {
    return this.#first + this.#entries.length - 1;
  }

  /** The oldest `seq` in the log; `head + 1` when it is empty. */
  get first(): number {
    return this.#first;
  }

  findKnown(userId: UserId, clientMessageId: ClientMessageId): KnownMessage | undefined {
    return this.#known.get(clientIdKey(userId, clientMessageId));
  }

  /** Strictly after the event before it, whatever the clock does. */
  nextAt(now: number): number {
    return Math.max(this.#lastAt + 1, now);
  }

  /** @returns hardly less than the bytes it takes as JSON. */
  append(event: RoomEvent): number {
    if (event.seq !== this.head + 1) throw new Error(`Event ${event.seq} does not follow ${this.head}`);
    const key = event.clientMessageId === null ? undefined : clientIdKey(event.userId, event.clientMessageId);
    if (key !== undefined) this.#known.set(key, toKnown(event));
    this.#entries.push({ at: event.at, key });
    this.#lastAt = Math.max(this.#lastAt, event.at);
    return this.#remember(event);
  }

  /** When the event was kept; undefined for one that is not in the log. */
  timeOf(seq: number): number | undefined {
    return this.#entries[seq - this.#first]?.at;
  }

  /** Where the order ends. */
  get newest(): { seq: number; at: number } {
    return { seq: this.head, at: this.#lastAt };
  }

  /** The newest events a client gets that has seen nothing. */
  latest(limit: number = REPLAY_DEFAULT_EVENTS): RoomEvent[] {
    return this.#recent.slice(-limit).map(({ event }) => event);
  }

  /** Every event after `since`, or undefined when it is another order's or too far back to replay whole. */
  after(since: Since): RoomEvent[] | undefined {
    if (since.epoch !== this.epoch || since.seq > this.head) return undefined;
    const missed = this.head - since.seq;
    if (missed > this.#recent.length) return undefined;
    return missed === 0 ? [] : this.latest(missed);
  }

  /** The events after `seq`, as many as fit, one at least unless it is the head; undefined when they are not in memory. */
  page(seq: number, max: { events: number; bytes: number }): RoomEvent[] | undefined {
    const from = this.#recent.length - (this.head - seq);
    if (from < 0) return undefined;
    let bytes = 0;
    let to = from;
    for (; to < this.#recent.length && to - from < max.events; to++) {
      bytes += this.#recent[to]?.bytes ?? 0;
      if (bytes > max.bytes && to > from) break;
    }
    return this.#recent.slice(from, to).map(({ event }) => event);
  }

  /**
   * The last `seq` that may be dropped: history has it, and it is too old or one too many. The newest ones stay however
   * old they are, for the next person who joins. Undefined while fewer than a lot may go.
   */
  prunable(storedSeq: number, now: number): number | undefined {
    const tooMany = this.head - LOG_MAX_EVENTS;
    const mayGo = Math.min(storedSeq, this.head - REPLAY_MAX_EVENTS);
    let last = this.#first - 1;
    while (last < mayGo && (last < tooMany || (this.timeOf(last + 1) ?? now) < now - LOG_MAX_AGE_MS)) last++;
    return last - this.#first + 1 < PRUNE_LOT ? undefined : last;
  }

  /** The client ids, as `clientIdKey` writes them, of the events up to and including `seq`. */
  clientIdsUpTo(seq: number): string[] {
    return this.#entries.slice(0, seq - this.#first + 1).flatMap(({ key }) => key ?? []);
  }

  /** Drops everything up to and including `seq`. */
  prune(seq: number): void {
    const gone = this.#entries.splice(0, seq - this.#first + 1);
    for (const [offset, { key }] of gone.entries())
      if (key !== undefined && this.#known.get(key)?.seq === this.#first + offset) this.#known.delete(key);
    this.#first += gone.length;
  }

  #remember(event: RoomEvent): number {
    const bytes = roughBytes(event);
    this.#recent.push({ event, bytes });
    this.#recentBytes += bytes;
    while (
      this.#recent.length > REPLAY_MAX_EVENTS ||
      (this.#recentBytes > REPLAY_MAX_BYTES && this.#recent.length > REPLAY_DEFAULT_EVENTS)
    )
      this.#recentBytes -= this.#recent.shift()?.bytes ?? 0;
    return bytes;
  }
}

/** What tells a retry of this event from another message: what was sent, which need not be what was kept. */
export function hashOf({ content, sentHash }: Pick<RoomEvent, "content" | "sentHash">): number {
  return sentHash ?? contentHash(content);
}

/** A user's client id as one text. A user id can hold "|" and a client id cannot, so the pair has one reading. */
export function clientIdKey(userId: UserId, clientMessageId: ClientMessageId): string {
  return `${userId}|${clientMessageId}`;
}

/** What is remembered of an event. */
export function toKnown(event: RoomEvent): KnownMessage {
  const { seq, id, at, moderation } = event;
  return { seq, id, at, hash: hashOf(event), moderation };
}

/** Hardly less than an event takes as JSON. Three bytes a UTF-16 unit is the most UTF-8 takes; what is constant is short. */
export function roughBytes(event: RoomEvent): number {
  return event.content.length * (/^[\u0000-\u007f]*$/.test(event.content) ? 1 : 3) + event.username.length * 3 + 300;
}
