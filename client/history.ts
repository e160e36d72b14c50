import type { Api } from "./api.ts";
import { ChatError } from "./chat-error.ts";
import { HOPELESS } from "./codes.ts";
import { isCount } from "./frames.ts";
import type { RoomInside } from "./room-inside.ts";
import type { PlacedMessage } from "./timeline.ts";

const PAGE = 200;

/** A room that history is read for. */
export interface HistoryReader extends RoomInside {
  /** It is to be tried again, later. */
  failed: () => void;
  /** The messages of a page; undefined when it is none. */
  toMessages: (page: Record<string, unknown>) => PlacedMessage[] | undefined;
  /** Messages have got their place. */
  place: (messages: readonly PlacedMessage[]) => void;
}

/**
 * Pages history up to `target`, from where everything is known. What does not work now is told as `failed`.
 *
 * @returns whether what is missing is to be passed over: it is too much, or not to be had
 */
export async function catchUp(api: Api, room: HistoryReader, target: number): Promise<boolean> {
  const { timeline, host, place, failed } = room;
  if (target - timeline.position > host.catchUpMax) return true;
  try {
    while (timeline.position < target) {
      const { position } = timeline;
      const page = await load(api, room, `after=${position}&limit=${PAGE}`);
      if (!page) return false;
      place(timeline.add(page.messages, isCount(page.next) ? page.next : target));
      if (timeline.position === position) throw new ChatError("internal");
    }
  } catch (error) {
    // Who may be in a room and cannot read its history must go on without it.
    if (error instanceof ChatError && HOPELESS.test(error.code)) return true;
    failed();
  }
  return false;
}

/** Loads what comes before the first message. @returns whether there is more. */
export async function loadOlder(api: Api, room: HistoryReader, limit: number): Promise<boolean> {
  const { timeline, changed } = room;
  const { first, epoch } = timeline;
  if (!epoch || first <= 1) return !epoch;
  const page = await load(api, room, `before=${first}&limit=${limit}`);
  if (page) timeline.prepend(page.messages, isCount(page.prev) ? page.prev : 1);
  changed();
  return timeline.first > 1;
}

/** A page; none when the order it was asked for is no more. */
async function load(api: Api, { id, timeline, toMessages }: HistoryReader, range: string) {
  const { life } = timeline;
  const page = await api<Record<string, unknown>>(`channels/${id}/messages?${range}`);
  const messages = toMessages(page);
  if (!messages) throw new ChatError("internal");
  const { next, prev } = page;
  return timeline.life === life ? { messages, next, prev } : undefined;
}
