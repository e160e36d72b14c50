/** Where the clock begins: whoever bundles an entry may define it. */
declare const CHAOS_CLOCK_OFFSET_MS: number;

let offsetMs = typeof CHAOS_CLOCK_OFFSET_MS === "number" ? CHAOS_CLOCK_OFFSET_MS : 0;

/** How far the clock that a test can set is from the real one, in milliseconds. */
export function clockOffset(): number {
  return offsetMs;
}

export function setClockOffset(ms: number): void {
  offsetMs = ms;
}
