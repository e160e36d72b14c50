import type { Now } from "./ports/clock.ts";

/** Allows a burst, then a steady rate. */
export class TokenBucket {
  readonly #burst: number;
  readonly #everyMs: number;
  readonly #now: Now;
  #left: number;
  #countedAt: number;

  constructor({ burst, everyMs }: { burst: number; everyMs: number }, now: Now) {
    this.#burst = burst;
    this.#everyMs = everyMs;
    this.#now = now;
    this.#left = burst;
    this.#countedAt = now();
  }

  /** @returns milliseconds to wait; undefined when one was taken. */
  take(): number | undefined {
    const now = this.#now();
    this.#left = Math.min(this.#burst, this.#left + Math.max(0, now - this.#countedAt) / this.#everyMs);
    this.#countedAt = now;
    if (this.#left < 1) return Math.ceil((1 - this.#left) * this.#everyMs);
    this.#left--;
    return undefined;
  }
}
