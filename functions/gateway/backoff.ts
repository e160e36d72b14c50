const FIRST_MS = 250;
const LAST_MS = 8_000;

/**
 * How long to wait before the next attempt: anything from nothing to a bound that doubles (full jitter), so that the
 * sockets of a room that fell over do not all come back at once.
 */
export function backoffMs(attempt: number, random: () => number): number {
  return Math.floor(random() * Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(attempt, 16)));
}
