const FIRST_MS = 500;
export const RETRY_LONGEST_MS = 30_000;

/** How long to wait before trying again after `failures` failures in a row: 0.5 s, doubling, at most 30 s. */
export function retryDelayMs(failures: number): number {
  return Math.min(RETRY_LONGEST_MS, FIRST_MS * 2 ** Math.min(10, Math.max(0, failures - 1)));
}
