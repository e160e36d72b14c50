import type { Message, Since } from "../../../../protocol/frames.ts";

/** What a client has of one room: everything up to `head`, and what came after a gap. */
export class RoomFeed {
  epoch: string | undefined;
  /** Up to here it has everything since its first join. */
  head = 0;
  /** The highest position it has heard of. */
  known = 0;
  /** The highest position that has come, with a gap before it or not: what a room is told as received. */
  latest = 0;
  #hasBegun = false;
  readonly #ahead = new Set<number>();

  get since(): Since | undefined {
    return this.epoch === undefined ? undefined : { epoch: this.epoch, seq: this.head };
  }

  /** Whether something is known to be missing. */
  get hasGap(): boolean {
    return this.known > this.head;
  }

  joined(epoch: string, seq: number, messages: readonly Message[]): void {
    if (!this.#hasBegun) this.head = (messages[0]?.seq ?? seq + 1) - 1;
    this.#hasBegun = true;
    this.epoch = epoch;
    for (const message of messages) this.take(message.seq);
    this.latest = Math.max(this.latest, seq);
    this.told(seq);
  }

  take(seq: number): void {
    this.latest = Math.max(this.latest, seq);
    if (seq > this.head) this.#ahead.add(seq);
    while (this.#ahead.delete(this.head + 1)) this.head += 1;
    this.told(seq);
  }

  /** The room has reached this position. */
  told(seq: number): void {
    if (this.#hasBegun) this.known = Math.max(this.known, seq);
  }
}
