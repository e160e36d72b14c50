import type { Now } from "../domain/ports/clock.ts";
import { contentHash } from "../domain/room/content-hash.ts";
import { EventLog } from "../domain/room/event-log.ts";
import { MessageLimit } from "../domain/room/message-limit.ts";
import { SpentIds } from "../domain/room/spent-ids.ts";
import type { RoomDeps } from "./deps.ts";
import type { Durable } from "./durable.ts";
import { KEYS, type Life, readPages, readSpentIds } from "./kept.ts";
import type { RoomStorage } from "./platform.ts";

/** What messages and joins need of a room. It is read from storage when the first of them comes after waking. */
export interface Order {
  log: EventLog;
  limit: MessageLimit;
  /** The client ids that have left the log. */
  spent: SpentIds;
  /** How often somebody may have history asked for an id that may be one of those. */
  recalls: MessageLimit;
}

/** Reads the whole log, oldest first; the message limit is rebuilt from it. */
export async function readOrder(
  { settings, newId }: Pick<RoomDeps, "settings" | "newId">,
  now: Now,
  storage: RoomStorage,
  { identity, head }: Life,
): Promise<Order> {
  const { RATE_LIMIT_MAX_MESSAGES: max, RATE_LIMIT_WINDOW_MS: windowMs } = settings;
  const [limit, recalls] = [new MessageLimit({ max, windowMs }), new MessageLimit({ max, windowMs })];
  const readAt = now();
  let log: EventLog | undefined;
  for await (const page of readPages(storage, 0, Number.MAX_SAFE_INTEGER))
    for (const event of page) {
      log ??= new EventLog(identity.epoch, event.seq);
      log.append(event);
      // An event from further ahead was dated by a clock that has been set back since: when it came nobody knows.
      if (Math.abs(readAt - event.at) < windowMs) limit.note(event.userId, Math.min(event.at, readAt));
    }
  log ??= new EventLog(identity.epoch, head.seq + 1, head.at);
  if (log.head < head.seq) throw new Error(`The log ends at ${log.head} and not at ${head.seq}`);
  const spent = (await readSpentIds(storage)) ?? new SpentIds(contentHash(newId()) >>> 0);
  return { log, limit, spent, recalls };
}

/**
 * Drops from memory and storage what is in history and too old, or too much, to be kept here as well. Its client ids go
 * into the filter in the same transaction.
 */
export function pruneOrder(
  { log, limit, spent, recalls }: Order,
  durable: Durable,
  storedSeq: number,
  now: number,
): void {
  limit.forget(now);
  recalls.forget(now);
  const last = log.prunable(storedSeq, now);
  if (last === undefined) return;
  for (const [part, generation] of spent.add(log.clientIdsUpTo(last)))
    durable.keep({ [KEYS.spentIds(part)]: { seed: spent.seed, ...generation } });
  const events: string[] = [];
  for (let seq = log.first; seq <= last; seq++) events.push(KEYS.event(seq));
  durable.forget(events);
  log.prune(last);
}
