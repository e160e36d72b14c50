import type { EventRange, RoomEvent } from "../domain/ports/history.ts";
import { readEvents } from "./kept.ts";
import type { RoomStorage } from "./platform.ts";
import type { ChatRoom } from "./room.ts";
import { readSetAside } from "./set-aside.ts";

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
 * What history does not have of what a page of this range can need: the newest of it, unless only `after` is given. First
 * what it would not take, then what it has not been given yet.
 */
export async function readTail(
  { durable: { storage }, outbox }: Pick<ChatRoom, "durable" | "outbox">,
  ends: { storedSeq: number; head: number },
  range: EventRange,
): Promise<RoomEvent[]> {
  // What is set aside from now on is still among the events that have not been given yet.
  const aside = outbox.hasSetAside ? await readSetAside(storage, range) : [];
  return [...aside.filter(({ seq }) => seq <= ends.storedSeq), ...(await readNotYetGiven(storage, ends, range))];
}

// The order has no gaps, so where these begin follows from how many there may be.
async function readNotYetGiven(
  storage: RoomStorage,
  { storedSeq, head }: { storedSeq: number; head: number },
  { before, after, limit }: EventRange,
): Promise<RoomEvent[]> {
  const last = Math.min(head, (before ?? Infinity) - 1);
  const isForward = after !== undefined && before === undefined;
  const from = Math.max(storedSeq, after ?? 0, isForward ? 0 : last - limit);
  return readEvents(storage, from, Math.min(limit, Math.max(0, last - from)));
}
