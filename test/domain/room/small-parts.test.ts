import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { retryDelayMs } from "../../../domain/room/backoff.ts";
import { dueAt, SteadyClock } from "../../../domain/steady-clock.ts";
import { contentHash, hashPair } from "../../../domain/room/content-hash.ts";
import { PresencePace } from "../../../domain/room/presence-pace.ts";
import { Unread } from "../../../domain/room/unread.ts";

describe("contentHash", () => {
  // What rooms have kept must be recognised by the rooms of tomorrow, so these may never change.
  it.each([
    ["", 3338908027751811],
    ["hello", 4625896200565286],
    ["€ 5 \u{1f600}", 149735498202048],
  ])("of %j is %d, for ever", (text, hash) => {
    expect(contentHash(text)).toBe(hash);
  });

  it("is a whole number of 53 bits, and another for another text", () => {
    const seen = new Map<number, string>();
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const hash = contentHash(text);
        expect(Number.isSafeInteger(hash) && hash >= 0).toBe(true);
        expect(seen.get(hash) ?? text).toBe(text);
        seen.set(hash, text);
      }),
      { numRuns: 5_000 },
    );
  });

  it("has two halves of 32 bits, others for another seed", () => {
    expect(hashPair("hello")).toEqual(hashPair("hello", 0));
    const [high, low] = hashPair("hello");
    const [otherHigh, otherLow] = hashPair("hello", 4711);
    expect([high, low].every((half) => half >= 0 && half < 2 ** 32)).toBe(true);
    expect([high === otherHigh, low === otherLow]).toEqual([false, false]);
  });
});

describe("retryDelayMs", () => {
  it("doubles from half a second to half a minute", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 1_000].map((failures) => retryDelayMs(failures, () => 0))).toEqual([
      500, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ]);
  });

  it("D01 spreads those who failed together over the second half of it", () => {
    const seconds = Array.from({ length: 1_000 }, () => Math.floor(retryDelayMs(7) / 1_000));
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(15);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(30);
    const together = [...Map.groupBy(seconds, (second) => second).values()].map(({ length }) => length);
    expect(Math.max(...together)).toBeLessThan(150); // of about 67
  });
});

describe("D16 a room's clock", () => {
  function clockAt(start: number) {
    let wall = start;
    const clock = new SteadyClock(() => wall);
    return { clock, at: (now: number) => ((wall = now), clock.now()) };
  }

  it("goes with the wall clock, and is no way ahead of it, until that goes back", () => {
    const { clock, at } = clockAt(10_000);
    expect([clock.takeSetBack(), at(10_000), at(50_000), clock.toWall(60_000), clock.fromWall(60_000)]).toEqual([
      false,
      10_000,
      50_000,
      60_000,
      60_000,
    ]);
    expect(clock.takeSetBack()).toBe(false);
  });

  it("goes on where it was when the wall clock goes back, and tells so once", () => {
    const { clock, at } = clockAt(50_000);
    at(50_000);
    expect([at(10_000), at(11_000), clock.toWall(51_000), clock.fromWall(11_000)]).toEqual([
      50_000, 51_000, 11_000, 51_000,
    ]);
    expect([clock.takeSetBack(), clock.takeSetBack()]).toEqual([true, false]);
    expect([at(5_000), at(6_000), clock.takeSetBack()]).toEqual([51_000, 52_000, true]);
  });

  it("meets the wall clock again when that has caught up", () => {
    const { clock, at } = clockAt(50_000);
    at(50_000);
    at(10_000);
    expect([at(60_000), clock.toWall(60_000), at(60_500)]).toEqual([60_000, 60_000, 60_500]);
  });

  it("is the wall clock's again at the very moment it has caught up", () => {
    const { at } = clockAt(50_000);
    at(50_000);
    expect([at(10_000), at(50_000), at(50_001)]).toEqual([50_000, 50_000, 50_001]);
  });

  it("takes each step back by itself", () => {
    const { clock, at } = clockAt(50_000);
    at(50_000);
    at(10_000);
    expect(clock.takeSetBack()).toBe(true);
    expect([at(9_500), clock.takeSetBack()]).toEqual([50_000, false]);
  });

  it("takes no notice of a second, and of more", () => {
    const { clock, at } = clockAt(50_000);
    at(50_000);
    expect([at(49_000), clock.takeSetBack()]).toEqual([50_000, false]);
    expect([at(47_999), clock.takeSetBack()]).toEqual([50_000, true]);
    const asked = clockAt(50_000);
    asked.at(50_000);
    asked.at(48_000);
    asked.at(49_000);
    expect(asked.clock.takeSetBack()).toBe(true);
  });
});

describe("D16 dueAt", () => {
  it.each([
    [1_000, 500, 500, 1_000],
    [1_001, 500, 500, 500],
    [400, 500, 500, 400],
    [9_999, 500, 500, 500],
  ])("planned for %i, at %i, with %i at most: %i", (plannedAt, now, longestMs, due) => {
    expect(dueAt(plannedAt, now, longestMs)).toBe(due);
  });
});

describe("X06 the pace of presence", () => {
  const T = 1_000_000;

  it("gathers for 100 ms among a few, and for a second in a crowd", () => {
    const pace = new PresencePace();
    expect([pace.gatherMs(T, false), pace.gatherMs(T, true)]).toEqual([100, 1_000]);
    pace.told(25, T);
    expect(pace.gatherMs(T, false)).toBe(100);
  });

  it("gathers ever longer in a rush, to 4 s, and is calm again within a second or so", () => {
    const pace = new PresencePace();
    pace.told(26, T);
    expect([1, 2, 3, 4].map(() => pace.gatherMs(T, false))).toEqual([1_000, 2_000, 4_000, 4_000]);
    pace.told(500, T);
    expect([pace.gatherMs(T + 999, true), pace.gatherMs(T + 1_000, true)]).toEqual([4_000, 1_000]);
    pace.told(500, T + 1_000);
    expect(pace.gatherMs(T + 1_000, false)).toBe(1_000);
  });

  it("takes five a second for calm, however long they go on", () => {
    const pace = new PresencePace();
    for (let second = 0; second < 60; second++) pace.told(5, T + second * 1_000);
    expect(pace.gatherMs(T + 60_000, false)).toBe(100);
    for (let second = 60; second < 90; second++) pace.told(7, T + second * 1_000);
    expect(pace.gatherMs(T + 89_000, false)).toBe(1_000);
  });

  it("D16 a clock that goes back changes nothing", () => {
    const pace = new PresencePace();
    pace.told(26, T);
    expect(pace.gatherMs(T - 86_400_000, false)).toBe(1_000);
  });
});

describe("F18 how far behind a reader may be", () => {
  it("is 512 events", () => {
    const unread = new Unread();
    for (let seq = 1; seq <= 512; seq++) unread.push(seq, 1);
    expect(unread.floor).toBe(0);
    unread.push(513, 1);
    expect(unread.floor).toBe(1);
  });

  it("is 1 MiB, to the byte", () => {
    const unread = new Unread();
    for (let seq = 1; seq <= 4; seq++) unread.push(seq, 256 * 1024);
    expect(unread.floor).toBe(0);
    unread.push(5, 1);
    expect(unread.floor).toBe(1);
    unread.push(6, 256 * 1024);
    expect(unread.floor).toBe(2);
    unread.push(7, 5 * 1024 * 1024);
    expect(unread.floor).toBe(7);
  });

  it("goes on for as long as a room lives, from wherever its order stands", () => {
    const unread = new Unread();
    for (let seq = 5_001; seq <= 9_000; seq++) unread.push(seq, 4_096);
    expect(unread.floor).toBe(9_000 - 256);
    for (let seq = 9_001; seq <= 10_000; seq++) unread.push(seq, 10);
    expect(unread.floor).toBe(10_000 - 512);
  });
});
