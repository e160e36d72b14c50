import type { EntryOf } from "../../history/entries.ts";
import { type Finding, Look } from "../finding.ts";
import type { Model } from "../model.ts";

const TYPING_MS = 6_000;
/** The time from a client to the room and on to another client, and the second that updates are held back for. */
const TYPING_SLACK_MS = 2_000;
const BOUND_MS = TYPING_MS + TYPING_SLACK_MS;

/** Somebody whom a socket shows as typing. */
interface Shown {
  user: string;
  entry: EntryOf<"typing">;
}

/**
 * Typing is never older than 6 s: nobody is shown as typing who has not said so for that long. The time in which a client
 * did not read, or in which the machine had no time, is not counted.
 */
export function typingEnds(model: Model): Finding {
  const look = new Look();
  const lastTyped = new Map<string, number>();
  const shown = new Map<string, Shown>();
  const judge = (key: string, { user, entry }: Shown, until: number) => {
    const { room, client, socket } = entry;
    const typedAt = lastTyped.get(`${user} ${room}`) ?? entry.at;
    look.at(() => {
      const over = Math.round(until - typedAt);
      if (over <= BOUND_MS || isExcused(model, room, typedAt, until)) return undefined;
      if (over <= BOUND_MS + model.heldUpMs(socket, typedAt, until)) return undefined;
      return { at: until, client, room, text: `showed ${user} as typing ${over} ms after it had last typed` };
    });
  };
  const end = (at: number, isOver: (open: Shown) => boolean) => {
    for (const [key, open] of shown)
      if (isOver(open)) {
        judge(key, open, at);
        shown.delete(key);
      }
  };
  for (const item of model.entries) {
    if (item.kind === "typed" && item.isTyping) {
      const { at, room } = item;
      const user = model.userOf(item.client);
      // What is shown now was renewed in time, or it is judged now, before that is forgotten.
      if (at - (lastTyped.get(`${user} ${room}`) ?? at) > BOUND_MS)
        for (const [key, open] of shown) if (open.user === user && open.entry.room === room) judge(key, open, at);
      lastTyped.set(`${user} ${room}`, at);
    }
    if (item.kind === "typing") {
      const { at, user, isTyping } = item;
      if (isTyping) shown.set(keyOf(item), { user, entry: item });
      else end(at, ({ entry }) => keyOf(entry) === keyOf(item));
    } else if (item.kind === "closed" || item.kind === "joined" || item.kind === "presence")
      end(item.at, (open) => forgets(item, open));
  }
  const endedAt = model.entries.at(-1)?.at ?? 0;
  end(endedAt, () => true);
  return look;
}

function isExcused(model: Model, room: string, from: number, to: number): boolean {
  return model.wasDisturbed("delays", room, from, to) || model.wasDisturbed("mangles", room, from, to);
}

/** With its socket, or on joining anew, a client forgets who was typing; and who has left types no more. */
function forgets(
  item: EntryOf<"closed"> | EntryOf<"joined"> | EntryOf<"presence">,
  { user, entry: { socket, room } }: Shown,
): boolean {
  if (item.kind === "closed") return item.socket === socket;
  if (item.kind === "joined") return item.socket === socket && item.room === room;
  return item.socket === socket && item.room === room && item.offline.includes(user);
}

function keyOf({ socket, room, user }: EntryOf<"typing">): string {
  return `${socket} ${room} ${user}`;
}
