import { BatchRefused, type RefusedEvent } from "../domain/batch-refused.ts";
import type { RoomBatch, RoomEvent, RoomStore } from "../domain/ports.ts";
import { retryDelayMs } from "../domain/room/backoff.ts";
import { UserId } from "../protocol/ids.ts";
import type { Durable } from "./durable.ts";
import {
  DUE_PER_BATCH,
  KEYS,
  type Life,
  type OutboxRecord,
  PREFIXES,
  type RoomIdentity,
  readDue,
  readEvents,
} from "./kept.ts";
import type { RoomLogger } from "./log.ts";

export const BATCH_EVENTS = 200;
/** How long what is new waits for company before it is written. */
const GATHER_MS = 400;
/** A write that has not ended by now never will: the object slept, or the store has no time limit. */
const STUCK_MS = 30_000;

export interface OutboxDeps {
  durable: Durable;
  store: Pick<RoomStore, "writeBatch">;
  now: () => number;
  log: RoomLogger;
}

/**
 * Hands the room's events, new members and read marks to history: in batches, one at a time, again and again until they
 * are in. Progress is marked only after the store has committed, and writing a batch twice changes nothing.
 */
export class Outbox {
  readonly #deps: OutboxDeps;
  #identity: RoomIdentity | undefined;
  #record: OutboxRecord = { storedSeq: 0, failures: 0, nextTryAt: 0 };
  #headSeq = 0;
  /** New members and read marks by storage key; as many as one batch takes, or all there are. */
  #due = new Map<string, unknown>();
  #dueIsWhole = true;
  #writing: { since: number; done: Promise<void> } | undefined;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** Takes up where the room was when it last slept. */
  resume({ identity, head }: Life, record: OutboxRecord, due: ReadonlyMap<string, unknown> = new Map()): void {
    this.#identity = identity;
    this.#record = record;
    this.#headSeq = head.seq;
    this.#takeDue(due);
  }

  get storedSeq(): number {
    return this.#record.storedSeq;
  }

  /** When there is next something to do; undefined when history has everything. */
  nextAt(): number | undefined {
    if (this.#writing !== undefined) return this.#writing.since + STUCK_MS;
    return this.#hasWork() ? this.#record.nextTryAt : undefined;
  }

  /** An event was kept. */
  eventKept(seq: number): void {
    this.#wait();
    this.#headSeq = seq;
    this.#deps.durable.wakeBy(this.nextAt());
  }

  /** @param readSeq Where they start reading, should history not know them as a member yet. */
  memberJoined(userId: UserId, readSeq: number): void {
    this.#keepDue(KEYS.dueMember(userId), readSeq);
  }

  markRead(userId: UserId, seq: number): void {
    this.#keepDue(KEYS.dueRead(userId), seq);
  }

  /** Writes what is due, unless a write is under way. Settles when that write has ended; never rejects. */
  async flush(): Promise<void> {
    const now = this.#deps.now();
    if (this.#writing !== undefined && now < this.#writing.since + STUCK_MS) return this.#writing.done;
    if (!this.#hasWork() || now < this.#record.nextTryAt) return;
    const writing = { since: now, done: this.#write() };
    this.#writing = writing;
    await writing.done;
    if (this.#writing === writing) this.#writing = undefined;
  }

  async #write(): Promise<void> {
    const identity = this.#identity;
    if (identity === undefined) return;
    try {
      await this.#loadDue();
      const due = [...this.#due].slice(0, DUE_PER_BATCH);
      const batch = await this.#nextBatch(identity, due);
      if (batch === undefined) return this.#requireNothingLeft();
      await this.#hand(batch);
      this.#advance(batch, due);
    } catch (error) {
      this.#failed(error);
    }
  }

  /**
   * One row that history cannot take must not hold up the rest. If only its client id stands in the way, because history
   * remembers those longer than the room does, it is kept without: it was acked. Any other is set aside here.
   */
  async #hand(batch: RoomBatch): Promise<void> {
    const refusal = await this.#offer(batch);
    if (refusal === undefined) return;
    const events = withoutClientIds(batch.events, refusal);
    const second = events.length === 0 ? undefined : await this.#offer({ ...batch, events, members: [], reads: [] });
    for (const row of refusal.refused) {
      const isKept = hasSeq(events, row.seq) && !hasSeq(second?.refused ?? [], row.seq);
      if (isKept) this.#deps.log.error("history_client_id_dropped", refusal, { seq: row.seq });
      else this.#setAside(batch, row, refusal);
    }
  }

  async #offer(batch: RoomBatch): Promise<BatchRefused | undefined> {
    try {
      await this.#deps.store.writeBatch(batch);
      return undefined;
    } catch (error) {
      if (error instanceof BatchRefused) return error;
      throw error;
    }
  }

  #setAside({ events }: RoomBatch, { seq, reason }: RefusedEvent, refusal: BatchRefused): void {
    const event = events.find((candidate) => candidate.seq === seq);
    this.#deps.durable.keep({ [KEYS.setAside(seq)]: event ?? reason });
    this.#deps.log.error("history_row_set_aside", refusal, { seq, reason });
  }

  async #nextBatch({ app, channelId }: RoomIdentity, due: [string, unknown][]): Promise<RoomBatch | undefined> {
    const events: RoomEvent[] = [];
    if (this.#headSeq > this.#record.storedSeq)
      for await (const event of readEvents(this.#deps.durable.storage, this.#record.storedSeq, BATCH_EVENTS))
        events.push(event);
    if (events.length === 0 && due.length === 0) return undefined;
    // Rooms used to keep `true` here.
    const members = due.flatMap(([key, readSeq]) =>
      userIdAfter(PREFIXES.dueMember, key).map((userId) => ({
        userId,
        readSeq: typeof readSeq === "number" ? readSeq : 0,
      })),
    );
    const reads = due.flatMap(([key, seq]) =>
      userIdAfter(PREFIXES.dueRead, key).map((userId) => ({ userId, seq: Number(seq) })),
    );
    return { app, channelId, events, members, reads };
  }

  #advance(batch: RoomBatch, due: [string, unknown][]): void {
    const storedSeq = batch.events.at(-1)?.seq ?? this.#record.storedSeq;
    const more = this.#headSeq - storedSeq >= BATCH_EVENTS;
    const nextTryAt = this.#deps.now() + (more ? 0 : GATHER_MS);
    this.#record = { storedSeq: Math.max(storedSeq, this.#record.storedSeq), failures: 0, nextTryAt };
    this.#deps.durable.keep({ [KEYS.outbox]: this.#record });
    this.#settle(due);
    this.#deps.log.note("history_written", { events: batch.events.length, storedSeq });
  }

  /** Forgets what was written, but for a mark that has moved on meanwhile. */
  #settle(due: [string, unknown][]): void {
    const settled = due.filter(([key, value]) => this.#due.get(key) === value).map(([key]) => key);
    for (const key of settled) this.#due.delete(key);
    this.#deps.durable.forget(settled);
  }

  #failed(error: unknown): void {
    const failures = this.#record.failures + 1;
    this.#record = { ...this.#record, failures, nextTryAt: this.#deps.now() + retryDelayMs(failures) };
    this.#deps.durable.keep({ [KEYS.outbox]: this.#record });
    this.#deps.log.error("history_write_failed", error, { failures, waiting: this.#headSeq - this.#record.storedSeq });
  }

  // A log that ends before its head would otherwise be looked for at every alarm, for ever.
  #requireNothingLeft(): void {
    if (this.#headSeq > this.#record.storedSeq) throw new Error("The log ends before its head");
  }

  #hasWork(): boolean {
    return this.#headSeq > this.#record.storedSeq || this.#due.size > 0 || !this.#dueIsWhole;
  }

  // A first piece of work waits for company; while the store is failing, its backoff stands.
  #wait(): void {
    const idle = this.#writing === undefined && this.#headSeq <= this.#record.storedSeq && this.#due.size === 0;
    if (idle && this.#record.failures === 0)
      this.#record = { ...this.#record, nextTryAt: this.#deps.now() + GATHER_MS };
  }

  #keepDue(key: string, value: unknown): void {
    this.#wait();
    this.#due.set(key, value);
    this.#deps.durable.keep({ [key]: value });
    this.#deps.durable.wakeBy(this.nextAt());
  }

  async #loadDue(): Promise<void> {
    if (this.#dueIsWhole) return;
    this.#takeDue(await readDue(this.#deps.durable.storage));
  }

  #takeDue(kept: ReadonlyMap<string, unknown>): void {
    for (const [key, value] of kept) if (!this.#due.has(key)) this.#due.set(key, value);
    this.#dueIsWhole = kept.size < DUE_PER_BATCH;
  }
}

/** The events that history might take without their client id. */
function withoutClientIds(events: readonly RoomEvent[], { refused }: BatchRefused): RoomEvent[] {
  const conflicts = refused.filter(({ reason }) => reason === "conflict");
  return events
    .filter(({ seq, clientMessageId }) => clientMessageId !== null && hasSeq(conflicts, seq))
    .map((event) => ({ ...event, clientMessageId: null }));
}

function hasSeq(rows: readonly { seq: number }[], seq: number): boolean {
  return rows.some((row) => row.seq === seq);
}

function userIdAfter(prefix: string, key: string): UserId[] {
  return key.startsWith(prefix) ? [UserId.parse(key.slice(prefix.length))] : [];
}
