import { LIMITS } from "../../protocol/limits.ts";

/** More than the events that count at any time, and a power of two. */
const REMEMBERED = 1_024;

/**
 * How far behind a reader may be. Bounds are kept once for the room and not for each reader: the order has no gaps, so
 * one position says of every reader whether too much is on its way to them.
 *
 * Sizes are known of events since the room woke; those before count as events only.
 */
export class Unread {
  /** Bytes of everything up to and including an event, at its position modulo the array's length. */
  readonly #upTo = new Float64Array(REMEMBERED);
  #total = 0;
  #floor = 0;

  /** A reader that has acknowledged less than this is not pushed to. */
  get floor(): number {
    return this.#floor;
  }

  /** The next event is about to be pushed. */
  push(seq: number, bytes: number): void {
    this.#total += bytes;
    this.#upTo[seq % REMEMBERED] = this.#total;
    this.#floor = Math.max(this.#floor, seq - LIMITS.unreadMaxEvents);
    // It ends at this event at the latest, behind which there is nothing.
    while (this.#total - this.#before(this.#floor) > LIMITS.unreadMaxBytes) this.#floor++;
  }

  #before(seq: number): number {
    return this.#upTo[seq % REMEMBERED] ?? 0;
  }
}
