const FIRST_MS = 500;
const MAX_MS = 30_000;

/** How long to wait before trying again after `failures` failures in a row: 0.5 s, doubling, at most 30 s. */
export function retryDelayMs(failures: number): number {
  return Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(10, Math.max(0, failures - 1)));
}
