import { toMessage } from "../domain/message.ts";
import type { RoomEvent } from "../domain/ports/history.ts";
import type { ChannelId, UserId } from "../protocol/ids.ts";

/** Room for what those read that are behind. */
const KEPT_CHARS = 512 * 1024;

/** An event as a frame, as everybody but its author reads it. */
export function writeText(event: RoomEvent, roomId: ChannelId): string {
  return JSON.stringify({ type: "message", ...toMessage(event, roomId, undefined) });
}

/** The same as its author's own sockets read it: with the id it was sent with. */
export function forAuthor(text: string, { clientMessageId }: RoomEvent): string {
  return clientMessageId === null ? text : `${text.slice(0, -1)},"clientMessageId":${JSON.stringify(clientMessageId)}}`;
}

/**
 * Events as frames for those who are behind, each written out once for however many read it. What all read at once is not
 * kept here: nearly always nobody reads it again.
 */
export class EventTexts {
  readonly #texts = new Map<number, string>();
  #chars = 0;

  textFor(reader: UserId, event: RoomEvent, roomId: ChannelId): string {
    const text = this.#texts.get(event.seq) ?? this.#write(event, roomId);
    return event.userId === reader ? forAuthor(text, event) : text;
  }

  clear(): void {
    this.#texts.clear();
    this.#chars = 0;
  }

  #write(event: RoomEvent, roomId: ChannelId): string {
    const text = writeText(event, roomId);
    this.#texts.set(event.seq, text);
    this.#chars += text.length;
    for (const [seq, old] of this.#texts) {
      if (this.#chars <= KEPT_CHARS) break;
      this.#texts.delete(seq);
      this.#chars -= old.length;
    }
    return text;
  }
}
