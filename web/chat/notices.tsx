import { useEffect, useState } from "react";
import type { ChatClient } from "../../client/chat-client.ts";

/** What the server said no to that no message shows: a line that one can close, and that goes with the room. */
export function Notices({ client, roomId }: { client: ChatClient; roomId: string }) {
  const [text, setText] = useState("");
  useEffect(() => {
    setText("");
    const errors = client.on("error", (error) => {
      if (error.roomId === undefined || error.roomId === roomId) setText(error.message);
    });
    return () => errors.remove();
  }, [client, roomId]);
  return (
    <div className="notice" role="alert">
      {text !== "" && (
        <>
          <span>{text}</span>
          <button type="button" onClick={() => setText("")}>
            Close
          </button>
        </>
      )}
    </div>
  );
}
