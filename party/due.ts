import * as z from "zod/mini";
import { AuditEntryRecord } from "../domain/audit-record.ts";
import type { NewMember } from "../domain/ports/members.ts";
import type { RoomBatch } from "../domain/ports/room-store.ts";
import { UserId } from "../protocol/ids.ts";
import type { Durable } from "./durable.ts";
import { DUE_PER_BATCH, PREFIXES, readDue } from "./kept.ts";

/** What goes to history beside events: one entry a storage key. */
export type DueEntries = readonly (readonly [key: string, value: unknown])[];

/** New members, read marks and entries of the audit log that history has to learn of, kept in storage until it has. */
export class Due {
  readonly #durable: Durable;
  /** The first of those in storage, as many as one batch takes, and whatever has come since. */
  #entries = new Map<string, unknown>();
  /** Nothing is in storage that is not here. */
  #isWhole = true;

  constructor(durable: Durable) {
    this.#durable = durable;
  }

  /** Takes over what was found in storage. */
  resume(kept: ReadonlyMap<string, unknown>): void {
    for (const [key, value] of kept) if (!this.#entries.has(key)) this.#entries.set(key, value);
    this.#isWhole = kept.size < DUE_PER_BATCH;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0 && this.#isWhole;
  }

  keep(key: string, value: unknown): void {
    this.#entries.set(key, value);
    this.#durable.keep({ [key]: value });
  }

  /** History need not learn of it any more. */
  drop(key: string): void {
    this.#entries.delete(key);
    this.#durable.forget([key]);
  }

  /** What one batch takes. */
  async next(): Promise<DueEntries> {
    if (!this.#isWhole) this.resume(await readDue(this.#durable.storage));
    return [...this.#entries].slice(0, DUE_PER_BATCH);
  }

  /** Forgets what was written, but for a mark that has moved on meanwhile. */
  written(entries: DueEntries): void {
    const settled = entries.filter(([key, value]) => this.#entries.get(key) === value).map(([key]) => key);
    for (const key of settled) this.#entries.delete(key);
    this.#durable.forget(settled);
  }
}

/** Somebody who has joined, until history knows. */
const DueMember = z.object({ readSeq: z.number(), at: z.number(), requestId: z.nullable(z.string()) });
export type DueMember = z.infer<typeof DueMember>;

/** The entries as a batch has them. */
export function toBatchParts(entries: DueEntries): Pick<RoomBatch, "members" | "reads" | "audit"> {
  const under = (prefix: string) =>
    entries
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => ({ rest: key.slice(prefix.length), value }));
  return {
    members: under(PREFIXES.dueMember).map(({ rest, value }) => ({ userId: UserId.parse(rest), ...readMember(value) })),
    reads: under(PREFIXES.dueRead).map(({ rest, value }) => ({ userId: UserId.parse(rest), seq: Number(value) })),
    audit: under(PREFIXES.dueAudit).map(({ value }) => z.parse(AuditEntryRecord, value)),
  };
}

/** Rooms used to keep `true` here, and then only where they start reading. */
function readMember(value: unknown): Omit<NewMember, "userId"> {
  const { success, data } = DueMember.safeParse(value);
  if (!success) return { readSeq: typeof value === "number" ? value : 0 };
  return { readSeq: data.readSeq, joined: { at: data.at, requestId: data.requestId } };
}
