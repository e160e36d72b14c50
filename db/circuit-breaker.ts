import type { Now } from "../domain/ports/clock.ts";

/**
 * Keeps callers from waiting, one after the other, for something that does not answer. After a failure nothing is tried
 * for `restMs`; then one caller tries, while the others still do without.
 */
export class CircuitBreaker {
  readonly #restMs: number;
  readonly #now: Now;
  #restsUntil = 0;
  #hasFailed = false;

  constructor(restMs: number, now: Now) {
    this.#restMs = restMs;
    this.#now = now;
  }

  /** @returns what `work` answers; undefined when it failed or was not tried. */
  async run<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    if (this.#hasFailed && this.#now() < this.#restsUntil) return undefined;
    if (this.#hasFailed) this.#rest();
    try {
      const result = await work();
      this.#hasFailed = false;
      return result;
    } catch {
      // Why does not matter to the caller, who goes on without; health asks for itself.
      this.#rest();
      return undefined;
    }
  }

  #rest(): void {
    this.#hasFailed = true;
    this.#restsUntil = this.#now() + this.#restMs;
  }
}
