import { useEffect, useRef, useState } from "react";
import type { ChatMessage, RoomState } from "../../../client/types.ts";

// Gathered for so long: in a busy room one sentence every two seconds, not one for each message.
const GATHER_MS = 2_000;
const SPOKEN_CHARS = 160;

/** Tells readers of the screen what others write, as it comes, and never what history brings. */
export function Announcer({ state, me }: { state: RoomState; me: string }) {
  const [words, setWords] = useState("");
  const heard = useRef<number>(undefined);
  const waiting = useRef<ChatMessage[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const { status, messages, head } = state;

  useEffect(() => {
    if (status !== "joined") return;
    heard.current ??= head;
    const news = messages.slice(
      messages.findLastIndex(({ seq }) => seq !== undefined && seq <= (heard.current ?? 0)) + 1,
    );
    for (const message of news) {
      if (message.seq === undefined) continue;
      heard.current = message.seq;
      if (message.userId !== me) waiting.current.push(message);
    }
    if (waiting.current.length === 0 || timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      setWords(sentenceOf(waiting.current.splice(0)));
    }, GATHER_MS);
  }, [status, messages, head, me]);

  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return (
    <p className="unseen" aria-live="polite">
      {words}
    </p>
  );
}

function sentenceOf(messages: ChatMessage[]): string {
  const [only] = messages;
  if (messages.length === 1 && only !== undefined) return `${only.username}: ${only.content.slice(0, SPOKEN_CHARS)}`;
  const names = [...new Set(messages.map(({ username }) => username))];
  const from = names.length > 3 ? `${names.length} people` : new Intl.ListFormat("en").format(names);
  return `${messages.length} new messages from ${from}`;
}
