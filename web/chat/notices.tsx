import { useEffect, useState } from "react";
import type { ChatClient } from "../../client/chat-client.ts";

const TOO_FAST = "You are writing too fast. What you wrote waits and goes out by itself";

/** What the server said no to that no message shows: a line that one can close, and that goes with the room. */
export function Notices({ client, roomId }: { client: ChatClient; roomId: string }) {
  const [notice, setNotice] = useState<{ text: string; forMs?: number | undefined }>();
  useEffect(() => {
    const room = client.join(roomId);
    const listening = [
      client.on("error", ({ code, message, roomId: where, retryAfterMs }) => {
        if (where === undefined || where === roomId) setNotice(noticeOf(code, message, retryAfterMs));
      }),
      // A message that is refused for good says so itself; one that waits says nothing.
      room.on("error", ({ code, message, clientMessageId, retryAfterMs }) => {
        const waits = clientMessageId === undefined || code === "rate_limited";
        if (waits) setNotice(noticeOf(code, message, retryAfterMs));
      }),
    ];
    return () => {
      setNotice(undefined);
      for (const one of listening) one.remove();
      room.leave();
    };
  }, [client, roomId]);
  useEffect(() => {
    if (notice?.forMs === undefined) return;
    const timer = setTimeout(() => setNotice(undefined), notice.forMs);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div className="notice" role="alert">
      {notice !== undefined && (
        <>
          <span>{notice.text}</span>
          <button type="button" onClick={() => setNotice(undefined)}>
            Close
          </button>
        </>
      )}
    </div>
  );
}

function noticeOf(code: string, message: string, retryAfterMs?: number): { text: string; forMs?: number | undefined } {
  if (code !== "rate_limited") return { text: message };
  const seconds = Math.ceil((retryAfterMs ?? 0) / 1_000);
  return { text: seconds > 0 ? `${TOO_FAST} in ${seconds} s.` : `${TOO_FAST}.`, forMs: retryAfterMs };
}
