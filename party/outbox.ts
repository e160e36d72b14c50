import { BatchRefused, hasSeq, withoutClientIds } from "../domain/batch-refused.ts";
import type { AuditEntry } from "../domain/ports/audit-log.ts";
import type { RoomEvent } from "../domain/ports/history.ts";
import type { RoomBatch, RoomStore } from "../domain/ports/room-store.ts";
import type { Backlog } from "../domain/room/accept-message.ts";
import { RETRY_LONGEST_MS, retryDelayMs } from "../domain/room/backoff.ts";
import { dueAt } from "../domain/steady-clock.ts";
import type { UserId } from "../protocol/ids.ts";
import { Fresh } from "../domain/room/fresh.ts";
import { Due, type DueEntries, type DueMember, toBatchParts } from "./due.ts";
import type { Durable } from "./durable.ts";
import { KEYS, type Life, type OutboxRecord, readEvents, type RoomIdentity, type SetAsideRecord } from "./kept.ts";
import type { RoomLogger } from "./log.ts";
import { SetAside } from "./set-aside.ts";

/** So many are a batch that waits for no more. */
const BATCH_FULL = 200;
const BATCH_MAX = 500;
/** How long what is new waits for company before it is written. */
const GATHER_MS = 400;
/** A write that has not ended by now is given up. Each of its requests has a far shorter limit of its own. */
const STUCK_MS = 60_000;

export interface OutboxDeps {
  durable: Durable;
  store: Pick<RoomStore, "writeBatch">;
  now: () => number;
  log: RoomLogger;
}

interface Writing {
  since: number;
  done: Promise<void>;
  isOver: AbortController;
}

/** What the room kept of its outbox. */
export interface KeptOutbox {
  outbox: OutboxRecord;
  aside?: SetAsideRecord | undefined;
  due?: ReadonlyMap<string, unknown>;
}

/**
 * Hands the room's events, new members, read marks and entries of the audit log to history: in batches, one at a time, again and again until they
 * are in. Progress is marked only after the store has committed, and writing a batch twice changes nothing.
 */
export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #setAside: SetAside;
  readonly #due: Due;
  readonly #fresh = new Fresh();
  #identity: RoomIdentity | undefined;
  #record: OutboxRecord = { storedSeq: 0, failures: 0, nextTryAt: 0, failingMs: 0 };
  #headSeq = 0;
  #writing: Writing | undefined;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
    this.#setAside = new SetAside(deps.durable, deps.now);
    this.#due = new Due(deps.durable);
  }

  /** Takes up where the room was when it last slept. */
  resume({ identity, head }: Life, { outbox, aside, due = new Map() }: KeptOutbox): void {
    this.#identity = identity;
    this.#record = outbox;
    this.#setAside.resume(aside);
    this.#headSeq = head.seq;
    this.#due.resume(due);
  }

  get storedSeq(): number {
    return this.#record.storedSeq;
  }

  /** What history does not have, and for how long it has been failing. */
  get backlog(): Backlog {
    const events = this.#headSeq - this.#record.storedSeq + this.#setAside.count;
    return { events, failingMs: this.#record.failingMs };
  }

  /** History has not taken what was offered to it last. */
  get isFailing(): boolean {
    return this.#record.failures > 0;
  }

  /** Events that history would not take are kept in the room. */
  get hasSetAside(): boolean {
    return this.#setAside.count > 0;
  }

  /** When there is next something to do; undefined when history has everything. */
  nextAt(): number | undefined {
    if (this.#writing !== undefined) return this.#writing.since + STUCK_MS;
    const againAt = this.#setAside.nextAt();
    if (!this.#hasWork()) return againAt;
    const nextTryAt = dueAt(this.#record.nextTryAt, this.#deps.now(), RETRY_LONGEST_MS);
    // While history is failing, what it would not take can wait.
    return this.#record.failures > 0 ? nextTryAt : Math.min(nextTryAt, againAt ?? Infinity);
  }

  /** An event was kept. It waits for company, but a full batch for nothing. */
  eventKept(event: RoomEvent, bytes: number): void {
    this.#wait();
    this.#headSeq = event.seq;
    if (this.#record.failures === 0) this.#fresh.push(event, bytes);
    const now = this.#deps.now();
    if (this.#hasBatch(this.#record.storedSeq) && this.#record.failures === 0 && this.#record.nextTryAt > now)
      this.#record = { ...this.#record, nextTryAt: now };
    this.#deps.durable.wakeBy(this.nextAt());
  }

  /** The log turned out to end here. */
  headIs(seq: number): void {
    this.#headSeq = seq;
    this.#deps.durable.wakeBy(this.nextAt());
  }

  /** `readSeq` is where they start reading, should history not know them as a member yet. */
  memberJoined(userId: UserId, joined: DueMember): void {
    this.#keepDue(KEYS.dueMember(userId), joined);
  }

  /** Something that belongs in the audit log, and that no event or new member tells by itself. */
  noted(entry: AuditEntry): void {
    this.#keepDue(KEYS.dueAudit(entry.id), entry);
  }

  /** They were made to leave: that they had joined is no news any more. */
  memberLeft(userId: UserId): void {
    this.#due.drop(KEYS.dueMember(userId));
  }

  markRead(userId: UserId, seq: number): void {
    this.#keepDue(KEYS.dueRead(userId), seq);
  }

  /** Settles when what is being written has been, or has failed; at once when nothing is. */
  async written(): Promise<void> {
    await this.#writing?.done;
  }

  /** Writes what is due, unless a write is under way. Settles when that write has ended; never rejects. */
  async flush(): Promise<void> {
    const now = this.#deps.now();
    if (this.#writing !== undefined) {
      this.#writing.since = Math.min(this.#writing.since, now);
      return now < this.#writing.since + STUCK_MS ? this.#writing.done : this.#giveUp(this.#writing);
    }
    if (now < (this.nextAt() ?? Infinity)) return;
    const writing: Writing = { since: now, isOver: new AbortController(), done: Promise.resolve() };
    this.#writing = writing;
    writing.done = this.#write(writing);
    await writing.done;
    if (this.#writing === writing) this.#writing = undefined;
  }

  /** Whatever a write that was given up still hears from the store, it marks nothing. */
  #giveUp(writing: Writing): void {
    const error = new Error("The write does not end");
    this.#failed(error, writing);
    this.#writing = undefined;
    writing.isOver.abort(error);
  }

  async #write(writing: Writing): Promise<void> {
    const identity = this.#identity;
    if (identity === undefined) return;
    try {
      if (this.#hasWork()) await this.#writeNext(identity, writing.isOver.signal);
      await this.#writeSetAside(identity, writing.isOver.signal);
    } catch (error) {
      if (!writing.isOver.signal.aborted) this.#failed(error, writing);
    }
  }

  async #writeNext(identity: RoomIdentity, isOver: AbortSignal): Promise<void> {
    const due = await this.#due.next();
    const batch = await this.#nextBatch(identity, due);
    if (batch === undefined) return this.#requireNothingLeft();
    const refused = await this.#hand(batch, isOver);
    isOver.throwIfAborted();
    this.#advance(batch, due, refused);
  }

  /** Offers again what history would not take earlier. That it cannot be asked is no news by itself. */
  async #writeSetAside({ app, channelId }: RoomIdentity, isOver: AbortSignal): Promise<void> {
    const events = await this.#setAside.due();
    if (events.length === 0) return;
    try {
      const refused = await this.#hand({ app, channelId, events, members: [], reads: [] }, isOver);
      if (isOver.aborted) return;
      this.#setAside.offered(events, refused);
      this.#deps.log.note("history_rows_offered_again", { events: events.length, refused: refused.length });
    } catch (error) {
      if (isOver.aborted) return;
      this.#setAside.postpone();
      this.#deps.log.error("history_write_failed", error, { again: events.length });
    }
  }

  /**
   * One row that history cannot take must not hold up the rest. If only its client id stands in the way, because history
   * remembers those longer than a room that has lost its storage, it is kept without: it was acked.
   *
   * @returns the events that history would not take
   */
  async #hand(batch: RoomBatch, isOver: AbortSignal): Promise<RoomEvent[]> {
    const refusal = await this.#offer(batch, isOver);
    if (refusal === undefined) return [];
    const events = withoutClientIds(batch.events, refusal);
    isOver.throwIfAborted();
    const second =
      events.length === 0
        ? undefined
        : await this.#offer({ ...batch, events, members: [], reads: [], audit: [] }, isOver);
    const isKept = ({ seq }: { seq: number }) => hasSeq(events, seq) && !hasSeq(second?.refused ?? [], seq);
    for (const row of refusal.refused)
      if (isKept(row)) this.#deps.log.error("history_client_id_dropped", refusal, { seq: row.seq });
      else this.#deps.log.error("history_row_set_aside", refusal, { seq: row.seq, reason: row.reason });
    return batch.events.filter((event) => hasSeq(refusal.refused, event.seq) && !isKept(event));
  }

  async #offer(batch: RoomBatch, isOver: AbortSignal): Promise<BatchRefused | undefined> {
    try {
      await this.#deps.store.writeBatch(batch, isOver);
      return undefined;
    } catch (error) {
      if (error instanceof BatchRefused) return error;
      throw error;
    }
  }

  async #nextBatch({ app, channelId }: RoomIdentity, due: DueEntries): Promise<RoomBatch | undefined> {
    const events = this.#headSeq > this.#record.storedSeq ? await this.#nextEvents(this.#record.storedSeq) : [];
    if (events.length === 0 && due.length === 0) return undefined;
    return { app, channelId, events, ...toBatchParts(due) };
  }

  // What is in memory only is not handed over either: the platform lets no request out before it is durable.
  async #nextEvents(after: number): Promise<readonly RoomEvent[]> {
    return this.#fresh.after(after, BATCH_MAX) ?? (await readEvents(this.#deps.durable.storage, after, BATCH_FULL));
  }

  #advance(batch: RoomBatch, due: DueEntries, refused: RoomEvent[]): void {
    // One transaction, so that an event is never counted as stored without being somewhere.
    this.#setAside.keep(refused);
    const storedSeq = Math.max(batch.events.at(-1)?.seq ?? 0, this.#record.storedSeq);
    const nextTryAt = this.#deps.now() + (this.#hasBatch(storedSeq) ? 0 : GATHER_MS);
    this.#record = { storedSeq, failures: 0, nextTryAt, failingMs: 0 };
    this.#fresh.forget(storedSeq);
    this.#deps.durable.keep({ [KEYS.outbox]: this.#record });
    this.#due.written(due);
    this.#deps.log.note("history_written", { events: batch.events.length, storedSeq });
  }

  #failed(error: unknown, { since }: Writing): void {
    const failures = this.#record.failures + 1;
    const now = this.#deps.now();
    const waitMs = retryDelayMs(failures);
    // Counted from tries and waits and not from the clock, which may jump.
    const tookMs = Math.min(STUCK_MS, Math.max(0, now - since));
    const failingMs = this.#record.failingMs + tookMs + waitMs;
    this.#record = { ...this.#record, failures, nextTryAt: now + waitMs, failingMs };
    this.#fresh.clear(); // it may last, and storage has it
    this.#deps.durable.keep({ [KEYS.outbox]: this.#record });
    this.#deps.log.error("history_write_failed", error, { failures, waiting: this.#headSeq - this.#record.storedSeq });
  }

  // A log that ends before its head would otherwise be looked for at every alarm, for ever.
  #requireNothingLeft(): void {
    if (this.#headSeq > this.#record.storedSeq) throw new Error("The log ends before its head");
  }

  #hasBatch(storedSeq: number): boolean {
    return this.#headSeq - storedSeq >= BATCH_FULL;
  }

  #hasWork(): boolean {
    return this.#headSeq > this.#record.storedSeq || !this.#due.isEmpty;
  }

  // A first piece of work waits for company; while the store is failing, its backoff stands.
  #wait(): void {
    const idle = this.#writing === undefined && !this.#hasWork();
    if (idle && this.#record.failures === 0)
      this.#record = { ...this.#record, nextTryAt: this.#deps.now() + GATHER_MS };
  }

  #keepDue(key: string, value: unknown): void {
    this.#wait();
    this.#due.keep(key, value);
    this.#deps.durable.wakeBy(this.nextAt());
  }
}
