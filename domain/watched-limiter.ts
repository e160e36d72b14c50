import type { Now } from "./ports/clock.ts";
import type { LimitAnswer, Limiter, LimitPolicyName } from "./ports/limiter.ts";

/** A limiter that remembers when it last had to count by itself, for health to tell. */
export class WatchedLimiter implements Limiter {
  readonly #limiter: Limiter;
  readonly #now: Now;
  #fellBackAt: number | undefined;

  constructor(limiter: Limiter, now: Now) {
    this.#limiter = limiter;
    this.#now = now;
  }

  /** Whether it had to within the last so many milliseconds. */
  fellBackWithin(ms: number): boolean {
    return this.#fellBackAt !== undefined && this.#now() - this.#fellBackAt < ms;
  }

  async take(policy: LimitPolicyName, identity: string): Promise<LimitAnswer> {
    const answer = await this.#limiter.take(policy, identity);
    if (answer.degraded) this.#fellBackAt = this.#now();
    return answer;
  }
}
