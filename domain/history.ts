import { ChatError } from "../protocol/errors.ts";
import type { HistoryPage } from "../protocol/http.ts";
import type { ChannelId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { UserCaller } from "./callers.ts";
import { requireVisible } from "./channel-access.ts";
import type { Deps } from "./deps.ts";
import { toMessage } from "./message.ts";
import type { EventRange, RoomEvent } from "./ports/history.ts";
import type { RoomTail } from "./ports/room-link.ts";

type HistoryDeps = Pick<Deps, "store" | "rooms">;

export interface HistoryQuery {
  before?: number | undefined;
  after?: number | undefined;
  limit?: number | undefined;
}

/**
 * A page of a channel's messages for a member, ascending. What the room has acked and not written yet is in it.
 *
 * @throws {ChatError} `room_not_found` for who is not a member, `storage_unavailable`; `rooms_unavailable` when the page
 *   needs the room and it cannot be reached: never a page with a hole
 */
export async function readHistory(
  deps: HistoryDeps,
  caller: UserCaller,
  id: ChannelId,
  query: HistoryQuery,
): Promise<HistoryPage> {
  const range: EventRange = { ...query, limit: query.limit ?? LIMITS.historyDefault };
  const [{ member }, stored] = await Promise.all([
    requireVisible(deps.store, caller, id),
    deps.store.listEvents(caller.app, id, range),
  ]);
  const isStranger = member === undefined;
  if (!isStranger && isWhole(stored, range)) return toPage(stored, undefined, id, caller, range);
  const tail = await deps.rooms.readTail(caller.app, id, caller.userId, range);
  if (isStranger && !tail.isMember) throw new ChatError("room_not_found");
  return toPage(await merge(deps, caller, id, range, stored, tail), tail.head, id, caller, range);
}

/**
 * Whether the stored page proves by itself that nothing is missing: a gapless run of `seq` that ends where the page ends.
 * The newest page never does, for the room may be ahead.
 */
function isWhole(stored: readonly RoomEvent[], { before, after, limit }: EventRange): boolean {
  const [first, last] = [stored[0], stored.at(-1)];
  if (before !== undefined && before <= (after ?? 0) + 1) return true; // no seq fits between the two
  if (first === undefined || last === undefined || !isGapless(stored)) return false;
  if (before === undefined) return after !== undefined && first.seq === after + 1 && stored.length === limit;
  return last.seq === before - 1 && (stored.length === limit || first.seq === (after ?? 0) + 1);
}

function isGapless(events: readonly RoomEvent[]): boolean {
  return events.every((event, at) => at === 0 || event.seq === (events[at - 1]?.seq ?? 0) + 1);
}

/**
 * Puts what the room still holds to what is stored, which comes first: it has been read at its `seq` before.
 *
 * @throws {ChatError} `rooms_unavailable` when the room holds more than it tells
 */
async function merge(
  deps: HistoryDeps,
  { app }: UserCaller,
  id: ChannelId,
  range: EventRange,
  stored: readonly RoomEvent[],
  tail: RoomTail,
): Promise<RoomEvent[]> {
  const merged = cut([...tail.events, ...stored], range);
  if (isGapless(merged) && startsInTime(merged, range) && reaches(merged, range, tail.head)) return merged;
  // The room wrote between our two questions; what it held then is in the store by now. Should both still lack something
  // below `storedSeq`, it is lost, and asking on would end the channel's history there.
  // What has been said since the room answered is left for the next page: nobody vouches that it is whole.
  const isForward = range.after !== undefined && range.before === undefined;
  const asked = isForward ? range : { ...range, before: Math.min(range.before ?? Infinity, tail.head + 1) };
  const reread = (await deps.store.listEvents(app, id, asked)).filter(({ seq }) => seq <= tail.head);
  const again = cut([...tail.events, ...reread], range);
  if (newestIn(range, tail.head) > tail.storedSeq && !reaches(again, range, tail.head))
    throw new ChatError("rooms_unavailable");
  return again;
}

/** Whether a page that continues from `after` does so without leaving anything out. */
function startsInTime(page: readonly RoomEvent[], { before, after, limit }: EventRange): boolean {
  const [first] = page;
  if (after === undefined || first === undefined || first.seq === after + 1) return true;
  return before !== undefined && page.length === limit; // the newest between the two
}

/** Whether the page ends as late as it must, given the newest `seq` there is. */
function reaches(page: readonly RoomEvent[], range: EventRange, head: number): boolean {
  const isForward = range.after !== undefined && range.before === undefined;
  if (isForward && page.length === range.limit) return true;
  return (page.at(-1)?.seq ?? range.after ?? 0) >= newestIn(range, head);
}

function newestIn({ before = Infinity }: EventRange, head: number): number {
  return Math.min(head, before - 1);
}

function cut(events: readonly RoomEvent[], { before = Infinity, after = -1, limit }: EventRange): RoomEvent[] {
  const bySeq = new Map(events.map((event) => [event.seq, event]));
  const inside = [...bySeq.values()].filter(({ seq }) => seq > after && seq < before).toSorted((a, b) => a.seq - b.seq);
  return after >= 0 && before === Infinity ? inside.slice(0, limit) : inside.slice(-limit);
}

function toPage(
  events: readonly RoomEvent[],
  head: number | undefined,
  roomId: ChannelId,
  { userId }: UserCaller,
  { before, after, limit }: EventRange,
): HistoryPage {
  const first = events[0]?.seq ?? newestOlder(after, before, head);
  const last = events.at(-1)?.seq ?? after ?? Math.max(0, (before ?? 1) - 1);
  // What lies between here and the head is of no kind that is shown, or there would be room for it.
  const isAll = after !== undefined && before === undefined && events.length < limit;
  return {
    messages: events.map((event) => toMessage(event, roomId, userId)),
    next: isAll || last >= (head ?? Infinity) ? null : last,
    prev: first > 1 ? first : null,
  };
}

// Where an empty page's older neighbour ends: below a start past the head there may be messages, below an end there are none.
function newestOlder(after: number | undefined, before: number | undefined, head: number | undefined): number {
  return after === undefined || before !== undefined ? 0 : Math.min(after, head ?? after) + 1;
}
