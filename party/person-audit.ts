import * as z from "zod/mini";
import { AuditEntryRecord } from "../domain/audit-record.ts";
import type { AuditEntry, AuditStore } from "../domain/ports/audit-log.ts";
import type { Now } from "../domain/ports/clock.ts";
import { RETRY_LONGEST_MS, retryDelayMs } from "../domain/room/backoff.ts";
import { dueAt } from "../domain/steady-clock.ts";
import { AppId } from "../protocol/ids.ts";
import type { Durable } from "./durable.ts";
import { KEYS, RefusalRecord } from "./kept.ts";
import type { RoomLogger } from "./log.ts";
import { RefusalLog, type Refused } from "./refusal-log.ts";

const LEAVING = "leaving";

/** Entries that Postgres has not taken yet. */
const LeavingRecord = z.object({
  app: z.optional(AppId),
  entries: z.array(AuditEntryRecord),
  failures: z.number(),
  nextTryAt: z.number(),
});
type LeavingRecord = z.infer<typeof LeavingRecord>;

interface PersonAuditDeps {
  durable: Durable;
  store: Pick<AuditStore, "writeAudit">;
  now: Now;
  newId: () => string;
  log: RoomLogger;
}

/**
 * What one person was refused before any room was asked, for the audit log: gathered as rooms gather it, one entry for each
 * code and minute, and kept here until Postgres has it.
 */
export class PersonAudit {
  readonly #deps: PersonAuditDeps;
  readonly #refusals: RefusalLog;
  #leaving: LeavingRecord = { entries: [], failures: 0, nextTryAt: 0 };
  #isWriting = false;

  constructor(deps: PersonAuditDeps) {
    const { durable, now, newId } = deps;
    this.#deps = deps;
    this.#refusals = new RefusalLog({ durable, outbox: this, now, newId });
  }

  /** Takes up what was gathered before the object slept. */
  async resume(): Promise<void> {
    const kept = await this.#deps.durable.storage.get([KEYS.refusals, LEAVING]);
    this.#refusals.resume(z.parse(z.array(RefusalRecord), kept.get(KEYS.refusals) ?? []));
    this.#leaving = z.parse(LeavingRecord, kept.get(LEAVING) ?? this.#leaving);
  }

  /** Postgres has not taken what was offered to it last. */
  get isFailing(): boolean {
    return this.#leaving.failures > 0;
  }

  note(app: AppId, refused: Omit<Refused, "action" | "requestId">): void {
    if (this.#leaving.app === undefined) this.#keep({ ...this.#leaving, app });
    this.#refusals.note({ action: "request.refuse", requestId: null, ...refused });
  }

  /** A minute is over: its entry goes to Postgres. */
  noted(entry: AuditEntry): void {
    this.#keep({ ...this.#leaving, entries: [...this.#leaving.entries, entry] });
  }

  /** When there is next something to do; undefined when Postgres has everything. */
  nextAt(): number | undefined {
    const { entries, nextTryAt } = this.#leaving;
    if (entries.length === 0) return this.#refusals.nextAt();
    return dueAt(nextTryAt, this.#deps.now(), RETRY_LONGEST_MS);
  }

  /** Writes what is due. Never rejects. */
  async flush(): Promise<void> {
    this.#refusals.settle();
    const { app, entries } = this.#leaving;
    const isDue = entries.length > 0 && (this.nextAt() ?? Infinity) <= this.#deps.now();
    if (this.#isWriting || app === undefined || !isDue) return;
    this.#isWriting = true;
    try {
      await this.#deps.store.writeAudit(app, entries);
      const left = this.#leaving.entries.filter((entry) => !entries.includes(entry));
      this.#keep({ app, entries: left, failures: 0, nextTryAt: 0 });
    } catch (error) {
      const failures = this.#leaving.failures + 1;
      this.#keep({ ...this.#leaving, failures, nextTryAt: this.#deps.now() + retryDelayMs(failures) });
      this.#deps.log.error("audit_not_written", error, { failures });
    } finally {
      this.#isWriting = false;
    }
  }

  #keep(leaving: LeavingRecord): void {
    this.#leaving = leaving;
    this.#deps.durable.keep({ [LEAVING]: leaving });
  }
}
