import type { AuditAction, AuditEntry } from "../domain/ports/audit-log.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { ChannelId, UserId } from "../protocol/ids.ts";
import type { Durable } from "./durable.ts";
import { KEYS, type RefusalRecord } from "./kept.ts";
import type { Outbox } from "./outbox.ts";

const MINUTE_MS = 60_000;
/** Kinds of refusals that are gathered at a time; the rest are counted together. */
const KINDS_MAX = 100;
/** Up to here each one is saved; then whenever their number has doubled, and once a second. */
const SAVED_EACH = 16;
const SAVED_EVERY_MS = 1_000;

export interface Refused {
  action: Extract<AuditAction, "message.refuse" | "request.refuse">;
  userId: UserId;
  channelId: ChannelId;
  code: ErrorCode;
  /** The client's own message id, or the connection's. */
  requestId: string | null;
}

interface RefusalLogDeps {
  durable: Durable;
  outbox: Pick<Outbox, "isFailing" | "noted">;
  now: () => number;
  newId: () => string;
}

/**
 * What was refused, for the audit log: one entry per user, code and minute, with how often. A flood of them
 * costs little, and while history is away they are gathered for longer than a minute instead of filling the room.
 */
export class RefusalLog {
  readonly #deps: RefusalLogDeps;
  readonly #gathered = new Map<string, RefusalRecord>();
  #savedAt = -Infinity;

  constructor(deps: RefusalLogDeps) {
    this.#deps = deps;
  }

  /** Takes up what was gathered before the room slept. */
  resume(kept: readonly RefusalRecord[]): void {
    for (const record of kept) this.#gathered.set(keyOf(record.entry), record);
  }

  note(refused: Refused): void {
    this.settle();
    const entry = this.#toEntry(refused);
    const key = this.#gathered.has(keyOf(entry)) || this.#gathered.size < KINDS_MAX ? keyOf(entry) : OTHERS;
    const record = this.#gathered.get(key);
    if (record === undefined) this.#gathered.set(key, { entry: key === OTHERS ? withoutWho(entry) : entry, count: 1 });
    else add(record, entry);
    const { count } = record ?? { count: 1 };
    const isLong = Math.abs(entry.at - this.#savedAt) >= SAVED_EVERY_MS;
    if (count <= SAVED_EACH || Number.isInteger(Math.log2(count)) || isLong) this.#save();
    this.#deps.durable.wakeBy(this.nextAt());
  }

  /** When the first of what was gathered should go to history. */
  nextAt(): number | undefined {
    if (this.#deps.outbox.isFailing) return undefined;
    let next: number | undefined;
    for (const { entry } of this.#gathered.values()) next = Math.min(next ?? Infinity, minuteAfter(entry.at));
    return next;
  }

  /** Hands over what is of a minute that has ended. */
  settle(): void {
    const { now, outbox } = this.#deps;
    // A clock that was set back must not hold them for ever.
    const isOver = ({ entry }: RefusalRecord) => minuteAfter(entry.at) <= now() || entry.at > now();
    if (outbox.isFailing) return;
    const over = [...this.#gathered.values()].filter(isOver);
    for (const { entry, count } of over) {
      this.#gathered.delete(keyOf(entry));
      outbox.noted({ ...entry, detail: count === 1 ? entry.detail : `${entry.detail} x${count}` });
    }
    if (over.length > 0) this.#save();
  }

  #save(): void {
    this.#savedAt = this.#deps.now();
    this.#deps.durable.keep({ [KEYS.refusals]: [...this.#gathered.values()] });
  }

  #toEntry({ action, userId, channelId, code, requestId }: Refused): AuditEntry {
    const { newId, now } = this.#deps;
    return { id: newId(), at: now(), action, actor: userId, channelId, subject: channelId, requestId, detail: code };
  }
}

const OTHERS = keyOf({ action: "request.refuse", actor: "system", detail: "others" });

/** Past the limit it is no longer told who was refused what. */
function withoutWho(entry: AuditEntry): AuditEntry {
  return { ...entry, action: "request.refuse", actor: "system", requestId: null, detail: "others" };
}

/** What concerns several rooms names none. */
function add(record: RefusalRecord, { channelId }: AuditEntry): void {
  record.count += 1;
  if (record.entry.channelId !== channelId) record.entry = { ...record.entry, channelId: null, subject: null };
}

function keyOf({ action, actor, detail }: Pick<AuditEntry, "action" | "actor" | "detail">): string {
  return `${action} ${detail} ${actor}`;
}

function minuteAfter(at: number): number {
  return (Math.floor(at / MINUTE_MS) + 1) * MINUTE_MS;
}
