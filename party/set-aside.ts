import type { EventRange, RoomEvent } from "../domain/ports/history.ts";
import { dueAt } from "../domain/steady-clock.ts";
import type { ClientMessageId, UserId } from "../protocol/ids.ts";
import type { Durable } from "./durable.ts";
import { KEYS, PREFIXES, type SetAsideRecord, parseEvent } from "./kept.ts";
import type { RoomStorage } from "./platform.ts";

/** Rows offered again in one batch. */
const BATCH_EVENTS = 100;
const PAGE = 500;
const FIRST_MS = 60_000;
const LONGEST_MS = 3_600_000;

const NOTHING: SetAsideRecord = { count: 0, rounds: 0, nextTryAt: 0, triedSeq: 0 };

/**
 * Events that history would not take. They stay in the room, are in its tail, and are offered again round after round: the
 * first after a minute, later ones up to an hour apart. Once history has them they are forgotten here.
 */
export class SetAside {
  readonly #durable: Durable;
  readonly #now: () => number;
  #record = NOTHING;

  constructor(durable: Durable, now: () => number) {
    this.#durable = durable;
    this.#now = now;
  }

  resume(record: SetAsideRecord = NOTHING): void {
    this.#record = record;
  }

  get count(): number {
    return this.#record.count;
  }

  /** When events are to be offered again; undefined when there are none. */
  nextAt(): number | undefined {
    return this.#record.count === 0 ? undefined : dueAt(this.#record.nextTryAt, this.#now(), LONGEST_MS);
  }

  /** Keeps events that history has just refused. */
  keep(events: readonly RoomEvent[]): void {
    if (events.length === 0) return;
    this.#durable.keep(Object.fromEntries(events.map((event) => [KEYS.setAside(event.seq), event])));
    const nextTryAt = Math.min(this.nextAt() ?? Infinity, this.#now() + FIRST_MS);
    this.#save({ ...this.#record, count: this.#record.count + events.length, rounds: 0, nextTryAt });
  }

  /** The events to offer next; none when it is not time. */
  async due(): Promise<RoomEvent[]> {
    if ((this.nextAt() ?? Infinity) > this.#now()) return [];
    const events = await readSetAside(this.#durable.storage, { after: this.#record.triedSeq, limit: BATCH_EVENTS });
    if (events.length === 0) this.#endRound(this.#record.count); // the last page of the round was full
    return events;
  }

  /** History was offered these and refused those. */
  offered(events: readonly RoomEvent[], refused: readonly RoomEvent[]): void {
    const still = new Set(refused.map(({ seq }) => seq));
    const taken = events.filter(({ seq }) => !still.has(seq)).map(({ seq }) => KEYS.setAside(seq));
    this.#durable.forget(taken);
    const count = Math.max(0, this.#record.count - taken.length);
    if (events.length === BATCH_EVENTS) this.#save({ ...this.#record, count, triedSeq: events.at(-1)?.seq ?? 0 });
    else this.#endRound(count);
  }

  /** History could not be asked. */
  postpone(): void {
    this.#endRound(this.#record.count);
  }

  #endRound(count: number): void {
    const rounds = this.#record.rounds + 1;
    const nextTryAt = this.#now() + Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(10, rounds));
    this.#save({ count, rounds, nextTryAt, triedSeq: 0 });
  }

  #save(record: SetAsideRecord): void {
    this.#record = record;
    this.#durable.keep({ [KEYS.aside]: record });
    this.#durable.wakeBy(this.nextAt());
  }
}

/** The events set aside that a page of this range can need, ascending. */
export async function readSetAside(storage: RoomStorage, { before, after, limit }: EventRange): Promise<RoomEvent[]> {
  const isForward = after !== undefined && before === undefined;
  const page = await storage.list({
    prefix: PREFIXES.setAside,
    start: KEYS.setAside((after ?? 0) + 1),
    ...(before !== undefined && { end: KEYS.setAside(before) }),
    reverse: !isForward,
    limit,
  });
  const events = [...page.values()].map(parseEvent);
  return isForward ? events : events.toReversed();
}

/** The event set aside that has a user's client message id. */
export async function findSetAside(
  storage: RoomStorage,
  userId: UserId,
  clientMessageId: ClientMessageId,
): Promise<RoomEvent | undefined> {
  for (let after = 0; ;) {
    const page = await readSetAside(storage, { after, limit: PAGE });
    const found = page.find((event) => event.userId === userId && event.clientMessageId === clientMessageId);
    if (found !== undefined || page.length < PAGE) return found;
    after = page.at(-1)?.seq ?? after;
  }
}
