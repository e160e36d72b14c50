/**
 * Who is over a limit and until when, as `@upstash/ratelimit` keeps it: a `Map`, which it never empties by itself. Past
 * `max` entries the oldest is forgotten, and then Redis is asked again.
 */
export class BlockedIdentities extends Map<string, number> {
  readonly #max: number;

  constructor(max: number) {
    super();
    this.#max = max;
  }

  override set(key: string, until: number): this {
    super.delete(key);
    super.set(key, until);
    if (this.size <= this.#max) return this;
    for (const oldest of this.keys()) {
      super.delete(oldest);
      break;
    }
    return this;
  }
}
