import type { Outbox } from "./outbox.ts";
import type { Timeline } from "./timeline.ts";
import type { ChatMessage } from "./types.ts";

/** A room's messages in one list, what is sent and then what is on its way: the same list until something in it changes. */
export function createShown(timeline: Timeline, outbox: Outbox): () => readonly ChatMessage[] {
  let shown: readonly ChatMessage[] = [];
  let madeOf: readonly unknown[] = [];
  return () => {
    const { messages } = timeline;
    const { items } = outbox;
    if (madeOf[0] === messages && madeOf[1] === items) return shown;
    const of = (isSent: boolean) => items.filter(({ state }) => (state === "sent") === isSent);
    shown = items.length ? [...messages, ...of(true), ...of(false)] : messages;
    madeOf = [messages, items];
    return shown;
  };
}
