import { describe, expect, it } from "vitest";
import { laneOf } from "./habits.ts";
import { schedule } from "./schedule.ts";
import { FAULTS, type FaultName } from "./types.ts";

const overlaps = (left: { atMs: number; forMs: number }, right: { atMs: number; forMs: number }) =>
  left.atMs < right.atMs + right.forMs && right.atMs < left.atMs + left.forMs;

describe("a chaos schedule", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(schedule(7, 5)).toEqual(schedule(7, 5));
    expect(schedule(8, 5).faults).not.toEqual(schedule(7, 5).faults);
  });

  it.each([1, 2, 3, 4, 5])("has every kind of fault within a few minutes (seed %i)", (seed) => {
    expect(new Set(schedule(seed, 4).faults.map(({ name }) => name))).toEqual(new Set(FAULTS));
  });

  it("has at least fourteen faults a minute in a long run", () => {
    expect(schedule(1, 30).faults.length).toBeGreaterThan(30 * 14);
  });

  it.each([1, 2.5, 10])("leaves the calm windows calm, the first for a baseline (%d minutes)", (minutes) => {
    const { faults, calm, lengthMs } = schedule(3, minutes);
    expect(calm[0]?.fromMs).toBe(0);
    expect(calm.at(-1)?.toMs).toBe(lengthMs);
    const windows = calm.map(({ fromMs, toMs }) => ({ atMs: fromMs, forMs: toMs - fromMs }));
    expect(faults.filter((fault) => windows.some((window) => overlaps(window, fault)))).toEqual([]);
  });

  it("does one thing at a time to the rooms' process, while other things break", () => {
    const faults = schedule(11, 10).faults.filter(({ options }) => options.hops === undefined);
    const pairs = faults.flatMap((left, at) => faults.slice(at + 1).map((right) => ({ left, right })));
    const together = pairs.filter(({ left, right }) => overlaps(left, right));
    expect(together.filter(({ left, right }) => laneOf(left.name) === laneOf(right.name))).toEqual([]);
    expect(together.length).toBeGreaterThan(100);
  });

  it.each([2, 4, 13])("hurts single rooms for a while, and then nothing else (%d minutes)", (minutes) => {
    const rooms = ["first", "second", "third"];
    const { faults } = schedule(5, minutes, { rooms });
    const single = faults.filter(({ options }) => options.rooms !== undefined);
    const others = faults.filter(({ options }) => options.rooms === undefined);
    expect(single.map(({ name }) => name)).toContain("rooms_evicted");
    expect(single.filter(({ name }) => name !== "rooms_evicted").length).toBeGreaterThan(minutes / 3);
    expect(others.filter((fault) => single.some((one) => overlaps(fault, one)))).toEqual([]);
    expect(single.filter(({ options }) => options.rooms?.length !== 1)).toEqual([]);
    expect(single.filter(({ options }) => options.hops?.includes("worker"))).toEqual([]);
  });

  it("keeps to the faults it is asked for", () => {
    const wanted: FaultName[] = ["rooms_evicted", "redis_hangs"];
    const { faults } = schedule(5, 5, { faults: wanted, rooms: ["first", "second"] });
    expect(new Set(faults.map(({ name }) => name))).toEqual(new Set(wanted));
  });
});
