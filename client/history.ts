import type { Message } from "../protocol/frames.ts";
import { ChatError } from "./chat-error.ts";
import { isCount, readMessages } from "./frames.ts";
import type { RoomInside } from "./room-inside.ts";
import type { PlacedMessage } from "./timeline.ts";
import { asChatError } from "./tokens.ts";

const PAGE = 200;
/** Who is answered so has no way to a room or its history. */
export const HOPELESS = /^(forbidden|banned|room_not_found|bad_room_id|reserved_id|token_missing)$/;

/** What a room's history has a use for in its room. */
export interface HistoryReader {
  toMessage: (wire: Message) => PlacedMessage;
  /** Messages have got their place. */
  place: (messages: readonly PlacedMessage[]) => void;
  /** It did not work now. */
  failed: () => void;
}

/** What a room knows of over HTTP: what was missed for long, and what is older than all that is here. */
export function createHistory(
  { id, host, events, timeline, changed }: RoomInside,
  { toMessage, place, failed }: HistoryReader,
) {
  let isPaging = false;
  let older: Promise<boolean> | undefined;

  /** A page; none when the order it was asked for is no more. */
  async function load(range: string) {
    const { life } = timeline;
    const page = await host.api<Record<string, unknown>>(`channels/${id}/messages?${range}`);
    const messages = readMessages(page);
    if (!messages) throw new ChatError("internal");
    const { next, prev } = page;
    return timeline.life === life ? { next, prev, messages: messages.map(toMessage) } : undefined;
  }

  function passOver(): void {
    const after = timeline.position;
    const placed = timeline.skip();
    events.emit("gap", { after, before: timeline.first });
    place(placed);
  }

  async function loadOlder(limit: number): Promise<boolean> {
    const { first, epoch } = timeline;
    if (!epoch || first <= 1) return !epoch;
    const page = await load(`before=${first}&limit=${limit}`);
    if (page) timeline.prepend(page.messages, isCount(page.prev) ? page.prev : 1);
    changed();
    return timeline.first > 1;
  }

  return {
    get isPaging() {
      return isPaging;
    },

    /** Loads what comes before the first message. @returns whether there is more. */
    older(limit: number): Promise<boolean> {
      older ??= loadOlder(limit).finally(() => (older = undefined));
      return older;
    },

    /** Pages history up to `target`, from where everything is known. */
    async catchUp(target: number): Promise<void> {
      if (target - timeline.position > host.catchUpMax) return passOver();
      if (isPaging) return;
      isPaging = true;
      try {
        while (timeline.position < target) {
          const { position } = timeline;
          const page = await load(`after=${position}&limit=${PAGE}`);
          if (!page) return;
          place(timeline.add(page.messages, isCount(page.next) ? page.next : target));
          if (timeline.position === position) throw new ChatError("internal");
        }
      } catch (error) {
        // Who may be in a room and cannot read its history must go on without it; everything else is tried again.
        if (HOPELESS.test(asChatError(error).code)) passOver();
        else failed();
      } finally {
        isPaging = false;
      }
    },
  };
}
