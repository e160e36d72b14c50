import { beforeEach, describe, expect, it } from "vitest";
import { Bursts } from "../../party/bursts.ts";
import type { Session } from "../../party/session.ts";

const SESSION = {} as Session; // what they never look into
let now = 0;
let turns: (() => void)[] = [];
let taken: unknown[][] = [];

function bursts(listeners: number): Bursts {
  return new Bursts({
    listeners: () => listeners,
    after: (_ms, callback) => turns.push(callback),
    now: () => now,
    take: (_session, message) => void (taken.at(-1) ?? taken[taken.push([]) - 1])?.push(message),
    together(callback) {
      taken.push([]);
      callback();
    },
    drop: () => {},
  });
}

/** Says that many, one each `everyMs`. @returns how many were taken at once before the first had to wait. */
function sayUntilBusy(room: Bursts, everyMs: number, most = 100): number {
  for (let said = 1; said <= most; said++) {
    now += everyMs;
    void room.take(SESSION, said);
    if (turns.length > 0) return said - 1;
  }
  return most;
}

describe("what sockets say", () => {
  beforeEach(() => {
    [now, turns, taken] = [1_000, [], []];
  });

  it("is taken as it comes in a quiet room, however many listen", () => {
    expect(sayUntilBusy(bursts(0), 13)).toBe(100);
    expect(sayUntilBusy(bursts(100), 13)).toBe(100);
    expect(sayUntilBusy(bursts(10_000), 101)).toBe(100);
  });

  it.each([
    { listeners: 1, atOnce: 8 },
    { listeners: 250, atOnce: 8 },
    { listeners: 1_000, atOnce: 2 },
    { listeners: 5_000, atOnce: 1 },
  ])("waits for its turn in a busy room: after $atOnce frames for $listeners listeners", ({ listeners, atOnce }) => {
    expect(sayUntilBusy(bursts(listeners), 12)).toBe(atOnce);
  });

  it.each([
    { listeners: 1, most: 256 },
    { listeners: 100, most: 160 },
    { listeners: 1_000, most: 16 },
    { listeners: 100_000, most: 8 },
  ])("is taken together in its order, $most frames at most for $listeners listeners", ({ listeners, most }) => {
    const room = bursts(listeners);
    for (let n = 0; n < 600; n++) void room.take(SESSION, n);
    for (const turn of turns) turn();
    expect(taken.flat()).toEqual(Array.from({ length: 600 }, (_, n) => n));
    expect(Math.max(...taken.slice(1).map(({ length }) => length))).toBe(most);
  });
});
