import type { EventRange, RoomEvent } from "../domain/ports.ts";
import { readEvents } from "./kept.ts";
import type { RoomStorage } from "./platform.ts";

const TAIL_MAX = 10_000;

/** The part of the tail that the address asks for: all of it when it names no range. */
export function readTailRange(url: string): EventRange {
  const query = new URL(url).searchParams;
  const numberOf = (name: string) => (/^\d{1,16}$/.test(query.get(name) ?? "") ? Number(query.get(name)) : undefined);
  return {
    before: numberOf("before"),
    after: numberOf("after"),
    limit: Math.min(numberOf("limit") ?? TAIL_MAX, TAIL_MAX),
  };
}

/**
 * The kept events after `storedSeq` that a page of this range can need: the newest of them, unless only `after` is given.
 * The order has no gaps, so where they begin follows from how many there may be.
 */
export async function readTail(
  storage: RoomStorage,
  { storedSeq, head }: { storedSeq: number; head: number },
  { before, after, limit }: EventRange,
): Promise<RoomEvent[]> {
  const last = Math.min(head, (before ?? Infinity) - 1);
  const isForward = after !== undefined && before === undefined;
  const from = Math.max(storedSeq, after ?? 0, isForward ? 0 : last - limit);
  const events: RoomEvent[] = [];
  for await (const event of readEvents(storage, from, Math.min(limit, Math.max(0, last - from)))) events.push(event);
  return events;
}
