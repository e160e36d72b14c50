import { memo } from "react";
import type { ChatMessage } from "../../../client/types.ts";
import { Avatar } from "../../parts/avatar.tsx";
import { RichText } from "./rich-text.tsx";
import { clockTime, dayName } from "./times.ts";

interface MessageRowProps {
  message: ChatMessage;
  isFirstOfDay: boolean;
  isHead: boolean;
  isFirstNew: boolean;
  isMine: boolean;
  /** Who has read up to here, in words; only under the newest own message. */
  readBy: string | undefined;
  onRetry: (clientMessageId: string) => void;
  onDiscard: (clientMessageId: string) => void;
}

/** One message, with the day, the line "New" and its author above it where they belong. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, isFirstOfDay, isHead, isFirstNew, isMine, readBy } = props;
  return (
    <>
      {isFirstOfDay && (
        <p className="day">
          <time dateTime={message.timestamp.slice(0, 10)}>{dayName(message.timestamp)}</time>
        </p>
      )}
      {isFirstNew && <p className="new-line">New</p>}
      <article
        className={`message ${message.state}${isHead ? " head" : ""}${isMine ? " mine" : ""}`}
        aria-label={`${message.username}, ${clockTime(message.timestamp)}`}
      >
        {isHead ? <Avatar userId={message.userId} name={message.username} /> : <Time message={message} />}
        <div className="body">
          {isHead && (
            <p className="byline">
              <span className="author">{message.username}</span> <Time message={message} />
            </p>
          )}
          <p className="text">
            <RichText text={message.content} />
          </p>
          <Facts {...props} />
          {readBy !== undefined && <p className="read-by">{readBy}</p>}
        </div>
        {isMine && message.state === "sent" && (
          <span className="tick" role="img" aria-label="Sent">
            ✓
          </span>
        )}
      </article>
    </>
  );
});

function Time({ message: { timestamp } }: { message: ChatMessage }) {
  return (
    <time className="time" dateTime={timestamp}>
      {clockTime(timestamp)}
    </time>
  );
}

/** What is not as usual about a message: it is on its way, it did not go, the filter changed it. */
function Facts({ message, onRetry, onDiscard }: MessageRowProps) {
  const { state, error, moderation, clientMessageId } = message;
  if (state === "sending") return <p className="facts">Sending…</p>;
  if (state === "sent") {
    if (moderation === "masked") return <p className="facts">The content filter has hidden a part of it.</p>;
    return moderation === "flagged" ? <p className="facts">The content filter has marked it for a look.</p> : null;
  }
  return (
    <div className="facts failed-facts">
      <span>Not sent: {error?.message ?? "it was refused"}</span>
      {clientMessageId !== undefined && (
        <span className="choices">
          <button type="button" onClick={() => onRetry(clientMessageId)}>
            Send again
          </button>
          <button type="button" onClick={() => onDiscard(clientMessageId)}>
            Delete
          </button>
        </span>
      )}
    </div>
  );
}
