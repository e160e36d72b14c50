import { BoundedMap } from "./bounded-map.ts";
import type { Now } from "./ports/clock.ts";
import type { LimitAnswer } from "./ports/limiter.ts";

/** So many in so long. */
export interface Allowance {
  limit: number;
  windowSeconds: number;
}

interface Window {
  used: number;
  endsAt: number;
}

/**
 * Counts in this process' own memory. A window begins with the first thing counted in it. Past `max` identities the least
 * recently seen are forgotten, so a flood of made-up ones cannot make it grow.
 */
export class LocalLimiter {
  readonly #windows: BoundedMap<string, Window>;
  readonly #now: Now;

  constructor(max: number, now: Now) {
    this.#windows = new BoundedMap(max);
    this.#now = now;
  }

  get size(): number {
    return this.#windows.size;
  }

  take(identity: string, { limit, windowSeconds }: Allowance): Omit<LimitAnswer, "degraded"> {
    const now = this.#now();
    const present = this.#windows.get(identity);
    const isOpen = present !== undefined && present.endsAt > now;
    const window = isOpen ? present : { used: 0, endsAt: now + windowSeconds * 1_000 };
    const allowed = window.used < limit;
    if (allowed) window.used++;
    this.#windows.set(identity, window);
    const resetSeconds = Math.ceil((window.endsAt - now) / 1_000);
    return { allowed, limit, windowSeconds, remaining: limit - window.used, resetSeconds };
  }
}
