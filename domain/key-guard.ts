import { ChatError } from "../protocol/errors.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Now } from "./ports/clock.ts";
import type { Limiter } from "./ports/limiter.ts";

const REMEMBERED = 10_000;

/**
 * Stops an address that guesses API keys: each failure is counted, and past the limit nothing more is looked up for that
 * address until its window has passed, right keys included.
 */
export class KeyGuard {
  readonly #deps: { limiter: Limiter; now: Now };
  readonly #refusedUntil = new BoundedMap<string, number>(REMEMBERED);

  constructor(deps: { limiter: Limiter; now: Now }) {
    this.#deps = deps;
  }

  /** @throws {ChatError} `rate_limited` for an address with too many failures; else as `verify` does. */
  async watch<Holder>(address: string, verify: () => Promise<Holder>): Promise<Holder> {
    const waitMs = (this.#refusedUntil.get(address) ?? 0) - this.#deps.now();
    if (waitMs > 0) throw new ChatError("rate_limited", { retryAfterMs: waitMs });
    try {
      return await verify();
    } catch (error) {
      if (error instanceof ChatError && error.code === "invalid_api_key") await this.#count(address);
      throw error;
    }
  }

  async #count(address: string): Promise<void> {
    const { allowed, resetSeconds } = await this.#deps.limiter.take("key_failure", address);
    if (allowed) return;
    const waitMs = Math.max(1, resetSeconds) * 1_000;
    this.#refusedUntil.set(address, this.#deps.now() + waitMs);
    throw new ChatError("rate_limited", { retryAfterMs: waitMs });
  }
}
