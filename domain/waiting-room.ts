import type { Now } from "./ports/clock.ts";

/** A client sends its token right after opening; a socket still silent after this is counted against its address. */
const DAWDLING_MS = 1_000;
const DAWDLERS_MAX = 20;
/** However quick they are: this many sockets of one address may wait at once. */
const WAITING_MAX = 200;

/** Counts the sockets that have not shown a token yet, by address, so that nobody can hoard them for nothing. */
export class WaitingRoom {
  readonly #now: Now;
  readonly #waiting = new Map<string, Set<{ since: number }>>();

  constructor(now: Now) {
    this.#now = now;
  }

  /** Takes a place. @returns how to give it back, or undefined when the address has too many. */
  enter(address: string): (() => void) | undefined {
    const now = this.#now();
    const waiting = this.#waiting.get(address) ?? new Set();
    let dawdlers = 0;
    for (const { since } of waiting) if (since <= now - DAWDLING_MS) dawdlers++;
    if (dawdlers >= DAWDLERS_MAX || waiting.size >= WAITING_MAX) return undefined;
    const place = { since: now };
    this.#waiting.set(address, waiting.add(place));
    return () => {
      waiting.delete(place);
      if (waiting.size === 0 && this.#waiting.get(address) === waiting) this.#waiting.delete(address);
    };
  }
}
