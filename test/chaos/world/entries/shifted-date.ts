/**
 * A clock that a test can set, in place of the runtime's. Imported first, so that nothing has read the time before.
 * Whoever bundles the entry may define where it begins.
 */
declare const CHAOS_CLOCK_OFFSET_MS: number;

const RealDate = Date;
let offsetMs = CHAOS_CLOCK_OFFSET_MS;

class ShiftedDate extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(ShiftedDate.now());
    else super(...(given as [number])); // whatever it was, it is handed on
  }
  static override now(): number {
    return RealDate.now() + offsetMs;
  }
}
globalThis.Date = ShiftedDate as DateConstructor;

/** How far this clock is from the real one, in milliseconds. */
export function clockOffset(): number {
  return offsetMs;
}

export function setClockOffset(ms: number): void {
  offsetMs = ms;
}
