import type { ClientMessageId } from "../../protocol/ids.ts";

/** A client's message that waits for its room to be joined again. */
export interface HeldMessage {
  text: string;
  clientMessageId: ClientMessageId | undefined;
}

const MESSAGES_MAX = 64;
const CHARS_MAX = 128 * 1024;

/** The messages held for one room: few, in order, and a retry of one that waits already is not held twice. */
export class HeldMessages {
  #messages: HeldMessage[] = [];
  #chars = 0;

  /** @returns false when there is no more room. */
  hold(message: HeldMessage): boolean {
    if (this.#messages.some((held) => held.clientMessageId !== undefined && held.text === message.text)) return true;
    if (this.#messages.length >= MESSAGES_MAX || this.#chars + message.text.length > CHARS_MAX) return false;
    this.#messages.push(message);
    this.#chars += message.text.length;
    return true;
  }

  /** All of them, in order; none is held afterwards. */
  take(): HeldMessage[] {
    const messages = this.#messages;
    this.#messages = [];
    this.#chars = 0;
    return messages;
  }
}
