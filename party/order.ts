import { EventLog } from "../domain/room/event-log.ts";
import { MessageLimit } from "../domain/room/message-limit.ts";
import type { RoomDeps } from "./deps.ts";
import type { Durable } from "./durable.ts";
import { KEYS, type Life, readEvents } from "./kept.ts";
import type { RoomStorage } from "./platform.ts";

/** What messages and joins need of a room. It is read from storage when the first of them comes after waking. */
export interface Order {
  log: EventLog;
  limit: MessageLimit;
}

/** Reads the whole log, oldest first; the message limit is rebuilt from it. */
export async function readOrder(
  { settings, now }: Pick<RoomDeps, "settings" | "now">,
  storage: RoomStorage,
  { identity, head }: Life,
): Promise<Order> {
  const { RATE_LIMIT_MAX_MESSAGES: max, RATE_LIMIT_WINDOW_MS: windowMs } = settings;
  const limit = new MessageLimit({ max, windowMs });
  const windowStart = now() - windowMs;
  let log: EventLog | undefined;
  for await (const event of readEvents(storage, 0, Number.MAX_SAFE_INTEGER)) {
    log ??= new EventLog(identity.epoch, event.seq);
    log.append(event);
    if (event.at > windowStart) limit.note(event.userId, event.at);
  }
  log ??= new EventLog(identity.epoch, head.seq + 1, head.at);
  if (log.head !== head.seq) throw new Error(`The log ends at ${log.head} and not at ${head.seq}`);
  return { log, limit };
}

/** Drops from memory and storage what is in history and too old, or too much, to be kept here as well. */
export function pruneOrder({ log, limit }: Order, durable: Durable, storedSeq: number, now: number): void {
  limit.forget(now);
  const last = log.prunable(storedSeq, now);
  if (last === undefined) return;
  const keys: string[] = [];
  for (let seq = log.first; seq <= last; seq++) keys.push(KEYS.event(seq));
  durable.forget(keys);
  log.prune(last);
}
