const FIRST_MS = 250;
const MAX_MS = 4_000;

/** Full jitter: anything from nothing to a bound that doubles. */
export function backoffMs(attempt: number, random: () => number): number {
  return random() * Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
}
