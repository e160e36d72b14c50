import type { Message } from "../protocol/frames.ts";
import type { ChannelId, UserId } from "../protocol/ids.ts";
import type { RoomEvent } from "./ports/history.ts";

/**
 * An event as `reader` sees it. Only its author learns the id a message was sent with: anyone else could use it to look
 * like a retry.
 */
export function toMessage(event: RoomEvent, roomId: ChannelId, reader: UserId | undefined): Message {
  const message: Message = {
    messageId: event.id,
    roomId,
    userId: event.userId,
    username: event.username,
    content: event.content,
    timestamp: new Date(event.at).toISOString(),
    seq: event.seq,
  };
  if (event.clientMessageId !== null && event.userId === reader) message.clientMessageId = event.clientMessageId;
  return message;
}
