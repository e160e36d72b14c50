/** Stands in for `@upstash/core-analytics` in the Worker's bundle (see `wrangler.toml`): nothing there ever makes one. */
export function Analytics(): never {
  throw new Error("Analytics are not part of this bundle");
}
