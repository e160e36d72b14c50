import { clockOffset } from "./clock-offset.ts";

/** A clock that a test can set, in place of the runtime's. Imported first, so that nothing has read the time before. */
const RealDate = Date;

class ShiftedDate extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(ShiftedDate.now());
    else super(...(given as [number])); // whatever it was, it is handed on
  }
  static override now(): number {
    return RealDate.now() + clockOffset();
  }
}
globalThis.Date = ShiftedDate as DateConstructor;
