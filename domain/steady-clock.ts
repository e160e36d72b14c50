import type { Now } from "./ports/clock.ts";

/** The wall clock going back by less than this is worth no notice. */
const NOTICED_MS = 1_000;

/**
 * A time of one's own: the wall clock's, but that it does not go back while its owner is in memory. All that lasts (silence,
 * typing, waits, limits, the age of what is cached) is measured by it, so that a clock that is set back holds nothing up.
 * What somebody else has dated (a token's end, a ban's) is compared with the wall clock itself.
 */
export class SteadyClock {
  readonly #wall: Now;
  #aheadMs = 0;
  #last = -Infinity;
  #wasSetBack = false;

  constructor(wall: Now) {
    this.#wall = wall;
  }

  readonly now: Now = () => {
    const wall = this.#wall();
    if (wall >= this.#last) this.#aheadMs = 0;
    else if (wall + this.#aheadMs < this.#last) {
      const aheadMs = this.#last - wall;
      this.#wasSetBack ||= aheadMs - this.#aheadMs > NOTICED_MS;
      this.#aheadMs = aheadMs;
    }
    return (this.#last = wall + this.#aheadMs);
  };

  /** What the wall clock will show at a time of this clock's. */
  toWall(at: number): number {
    return at - this.#aheadMs;
  }

  /** This clock's time when the wall clock shows `at`. */
  fromWall(at: number): number {
    return at + this.#aheadMs;
  }

  /** Whether the wall clock has gone back since this was last asked. */
  takeSetBack(): boolean {
    this.now();
    const wasSetBack = this.#wasSetBack;
    this.#wasSetBack = false;
    return wasSetBack;
  }
}

/**
 * When something is due that was planned before its owner last slept. It never was planned further ahead than `longestMs`,
 * so if it is now, the clock has been set back, and nobody is to wait for as long as that.
 */
export function dueAt(plannedAt: number, now: number, longestMs: number): number {
  return plannedAt > now + longestMs ? now : plannedAt;
}
