import type { Now } from "./ports/clock.ts";
import { SharedWork } from "./shared-work.ts";

const PATIENCE_MS = 6_000;

/** An answer that is worth asking for at most once per `keepMs`, however many ask. */
export class Recent<Result> {
  readonly #keepMs: number;
  readonly #now: Now;
  readonly #work = new SharedWork<Result>(PATIENCE_MS);
  #last: { result: Result; at: number } | undefined;

  constructor(keepMs: number, now: Now) {
    this.#keepMs = keepMs;
    this.#now = now;
  }

  async get(load: () => Promise<Result>): Promise<Result> {
    if (this.#last !== undefined && this.#now() - this.#last.at < this.#keepMs) return this.#last.result;
    const result = await this.#work.join(load);
    this.#last = { result, at: this.#now() };
    return result;
  }
}
