import * as z from "zod/mini";
import type { RoomEvent } from "../domain/ports/history.ts";
import { AuditEntryRecord } from "../domain/audit-record.ts";
import { SpentIds } from "../domain/room/spent-ids.ts";
import { RoomEventRecord } from "../domain/room-event.ts";
import { Epoch } from "../protocol/frames.ts";
import { ChannelType } from "../protocol/http.ts";
import { AppId, ChannelId, UserId } from "../protocol/ids.ts";
import type { RoomStorage } from "./platform.ts";

/**
 * What a room keeps in its storage, and under which keys. Everything is read back through these schemas, so that what an
 * older version wrote is either understood or found out at once.
 */
export const KEYS = {
  identity: "identity",
  head: "head",
  outbox: "outbox",
  aside: "aside",
  board: "board",
  probe: "probe",
  moderationReadAt: "mod:at",
  moderationTriedAt: "mod:tried",
  appLists: "mod:app",
  channelLists: "mod:channel",
  event: (seq: number) => `m:${String(seq).padStart(16, "0")}`,
  member: (userId: UserId) => `mem:${userId}`,
  read: (userId: UserId) => `r:${userId}`,
  away: (userId: UserId) => `away:${userId}`,
  ban: (userId: UserId) => `ban:${userId}`,
  out: (userId: UserId) => `out:${userId}`,
  dueMember: (userId: UserId) => `due:mem:${userId}`,
  dueRead: (userId: UserId) => `due:read:${userId}`,
  dueAudit: (id: string) => `due:aud:${id}`,
  refusals: "refusals",
  spentIds: (part: number) => `spent:${part}`,
  setAside: (seq: number) => `bad:${String(seq).padStart(16, "0")}`,
} as const;
export const PREFIXES = {
  event: "m:",
  away: "away:",
  out: "out:",
  ban: "ban:",
  spentIds: "spent:",
  setAside: "bad:",
  due: "due:",
  dueMember: "due:mem:",
  dueRead: "due:read:",
  dueAudit: "due:aud:",
} as const;

/** Storage takes at most this many keys in one call. */
export const KEYS_PER_CALL = 128;
const PAGE = 1_000;
/** New members, read marks and entries of the audit log that history gets in one batch: this many together. */
export const DUE_PER_BATCH = 200;

/** Which room this is: its object cannot always ask the platform. */
export const RoomIdentity = z.object({ app: AppId, channelId: ChannelId, type: ChannelType, epoch: Epoch });
export type RoomIdentity = z.infer<typeof RoomIdentity>;
/** The newest event, there or once there. */
export const RoomHead = z.object({ seq: z.number(), at: z.number() });
export type RoomHead = z.infer<typeof RoomHead>;
/** A room that has been opened, in this waking or an earlier one. */
export interface Life {
  identity: RoomIdentity;
  head: RoomHead;
}

export const OutboxRecord = z.object({
  storedSeq: z.number(),
  failures: z.number(),
  nextTryAt: z.number(),
  /** How long history has failed without a break, in milliseconds. */
  failingMs: z._default(z.number(), 0),
});
export type OutboxRecord = z.infer<typeof OutboxRecord>;
const SetAsideRecord = z.object({
  /** Events that history would not take. */
  count: z.number(),
  /** Times all of them were offered again since the last one joined them. */
  rounds: z.number(),
  nextTryAt: z.number(),
  /** In this round, events up to here were offered. */
  triedSeq: z.number(),
});
export type SetAsideRecord = z.infer<typeof SetAsideRecord>;
/** Somebody who may not come in (`ban`), or not write (`mute`), or may again; `until` null: until it is lifted. */
export const KeptBan = z.object({
  kind: z.enum(["ban", "mute", "lifted"]),
  until: z.nullable(z.number()),
  /** When the store took that in; 0 when it is not known. */
  decidedAt: z._default(z.number(), 0),
});
export type KeptBan = z.infer<typeof KeptBan>;
/** Refusals of one kind to one user, gathered into one entry of the audit log. */
export const RefusalRecord = z.object({ entry: AuditEntryRecord, count: z.number() });
export type RefusalRecord = z.infer<typeof RefusalRecord>;
const AwayRecord = z.object({ username: z.string(), leftAt: z.number() });
export type AwayRecord = z.infer<typeof AwayRecord>;

/** A part of the filter of client ids that have left the log. */
const SpentIdsRecord = z.object({ seed: z.number(), count: z.number(), bits: z.instanceof(Uint8Array) });

export interface Kept {
  identity: RoomIdentity | undefined;
  head: RoomHead;
  outbox: OutboxRecord;
  aside: SetAsideRecord | undefined;
  /** When Redis was last told who is here. */
  boardAt: number;
  away: Map<UserId, AwayRecord>;
  due: Map<string, unknown>;
  refusals: RefusalRecord[];
  alarmAt: number | undefined;
}

/** Reads what a room needs at every waking: little, because a room with idle sockets wakes every 25 s. */
export async function readKept(storage: RoomStorage): Promise<Kept> {
  const [values, away, due, alarmAt] = await Promise.all([
    storage.get([KEYS.identity, KEYS.head, KEYS.outbox, KEYS.aside, KEYS.board, KEYS.refusals]),
    storage.list({ prefix: PREFIXES.away }),
    readDue(storage),
    storage.getAlarm(),
  ]);
  const identity = values.get(KEYS.identity);
  return {
    identity: identity === undefined ? undefined : RoomIdentity.parse(identity),
    head: RoomHead.parse(values.get(KEYS.head) ?? { seq: 0, at: 0 }),
    outbox: OutboxRecord.parse(values.get(KEYS.outbox) ?? { storedSeq: 0, failures: 0, nextTryAt: 0 }),
    aside: z.parse(z.optional(SetAsideRecord), values.get(KEYS.aside)),
    boardAt: z.parse(z.number(), values.get(KEYS.board) ?? 0),
    away: new Map(
      [...away].map(([key, value]) => [UserId.parse(key.slice(PREFIXES.away.length)), AwayRecord.parse(value)]),
    ),
    due,
    refusals: z.parse(z.array(RefusalRecord), values.get(KEYS.refusals) ?? []),
    alarmAt: alarmAt ?? undefined,
  };
}

/** The filter of client ids that have left the log; undefined before the first has. */
export async function readSpentIds(storage: RoomStorage): Promise<SpentIds | undefined> {
  const kept = await storage.list({ prefix: PREFIXES.spentIds, noCache: true });
  const parts = [...kept].map(([key, value]) => ({
    part: Number(key.slice(PREFIXES.spentIds.length)),
    ...SpentIdsRecord.parse(value),
  }));
  return (
    parts[0] && new SpentIds(parts[0].seed, new Map(parts.map(({ part, count, bits }) => [part, { count, bits }])))
  );
}

/** The first new members, read marks and entries of the audit log that history does not have, by key. */
export async function readDue(storage: RoomStorage): Promise<Map<string, unknown>> {
  return storage.list({ prefix: PREFIXES.due, limit: DUE_PER_BATCH });
}

/** An event as it was kept. @throws {z.core.$ZodError} when it is none */
export function parseEvent(value: unknown): RoomEvent {
  return z.parse(RoomEventRecord, value);
}

/** The kept events after `after`, at most `limit`, ascending, in pages. */
export async function* readPages(storage: RoomStorage, after: number, limit: number): AsyncIterable<RoomEvent[]> {
  let start = KEYS.event(after + 1);
  for (let left = limit; left > 0;) {
    const kept = await storage.list({ prefix: PREFIXES.event, start, limit: Math.min(left, PAGE), noCache: true });
    const page = [...kept.values()].map(parseEvent);
    const last = page.at(-1);
    if (last !== undefined) yield page;
    if (last === undefined || page.length < Math.min(left, PAGE)) return;
    left -= page.length;
    start = KEYS.event(last.seq + 1);
  }
}

/** The same, all at once. */
export async function readEvents(storage: RoomStorage, after: number, limit: number): Promise<RoomEvent[]> {
  const events: RoomEvent[] = [];
  for await (const page of readPages(storage, after, limit)) events.push(...page);
  return events;
}
