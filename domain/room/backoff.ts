const FIRST_MS = 500;
export const RETRY_LONGEST_MS = 30_000;

/**
 * How long to wait before trying again after `failures` failures in a row: 0.5 s, doubling, at most 30 s. Up to half of it
 * is left to chance, so that rooms that failed together do not all come back together.
 */
export function retryDelayMs(failures: number, random: () => number = Math.random): number {
  const longest = Math.min(RETRY_LONGEST_MS, FIRST_MS * 2 ** Math.min(10, Math.max(0, failures - 1)));
  return Math.round(longest * (1 - random() / 2));
}
