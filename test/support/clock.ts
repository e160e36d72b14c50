/** When the clocks of tests begin: a Monday, at noon. */
export const START = Date.UTC(2026, 0, 5, 12, 0, 0);

/** A clock that stands still until a test moves it. */
export interface Clock {
  now: () => number;
  advance: (ms: number) => void;
}

export function createClock(start: number = START): Clock {
  let now = start;
  return { now: () => now, advance: (ms) => void (now += ms) };
}
