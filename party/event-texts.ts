import { toMessage } from "../domain/message.ts";
import type { RoomEvent } from "../domain/ports/history.ts";
import type { ChannelId, UserId } from "../protocol/ids.ts";

/** Room for what is new, and for what those read that are behind. */
const KEPT_CHARS = 512 * 1024;

/** Events as frames, each written out once for however many read it: those who keep up, and those who read it later. */
export class EventTexts {
  readonly #texts = new Map<number, string>();
  #chars = 0;

  /** As everybody reads it, or as its author's own sockets do: with the id it was sent with. */
  textFor(reader: UserId | undefined, event: RoomEvent, roomId: ChannelId): string {
    const text = this.#texts.get(event.seq) ?? this.#write(event, roomId);
    const { clientMessageId, userId } = event;
    if (clientMessageId === null || userId !== reader) return text;
    return `${text.slice(0, -1)},"clientMessageId":${JSON.stringify(clientMessageId)}}`;
  }

  #write(event: RoomEvent, roomId: ChannelId): string {
    const text = JSON.stringify({ type: "message", ...toMessage(event, roomId, undefined) });
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
