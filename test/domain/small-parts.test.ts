import { describe, expect, it } from "vitest";
import { BoundedMap } from "../../domain/bounded-map.ts";
import { Recent } from "../../domain/recent.ts";
import { isSameJson } from "../../domain/same-json.ts";
import { SharedWork } from "../../domain/shared-work.ts";
import { timedCheck } from "../../domain/timed-check.ts";
import { createClock } from "../support/memory-deps.ts";

const never = new Promise<never>(() => {});

describe("SharedWork", () => {
  it("is done once for all who come while it runs, and again for who comes after", async () => {
    const work = new SharedWork<number>(1_000);
    let starts = 0;
    const start = async () => (starts += 1);
    expect(await Promise.all([work.join(start), work.join(start), work.join(start)])).toEqual([1, 1, 1]);
    expect(work.isRunning).toBe(false);
    expect(await work.join(start)).toBe(2);
  });
  it("fails for all who waited, and may be started again", async () => {
    const work = new SharedWork<number>(1_000);
    const failing = async () => Promise.reject(new Error("down"));
    const results = await Promise.allSettled([work.join(failing), work.join(failing)]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await work.join(async () => 7)).toBe(7);
  });
  it("is given up by who joined when its owner never comes back, and starts anew", async () => {
    const work = new SharedWork<number>(20);
    void work.join(() => never);
    await expect(work.join(async () => 1)).rejects.toThrow("lost");
    expect(await work.join(async () => 2)).toBe(2);
  });
});

describe("Recent", () => {
  it("keeps an answer for as long as it may, and no failure", async () => {
    const clock = createClock();
    const recent = new Recent<number>(1_000, clock.now);
    await expect(recent.get(async () => Promise.reject(new Error("down")))).rejects.toThrow("down");
    expect(await recent.get(async () => 1)).toBe(1);
    clock.advance(999);
    expect(await recent.get(async () => 2)).toBe(1);
    clock.advance(1);
    expect(await recent.get(async () => 3)).toBe(3);
  });
});

describe("BoundedMap", () => {
  it("D08 forgets what was used longest ago and never grows past its bound", () => {
    const map = new BoundedMap<string, number>(3);
    for (const [at, key] of ["a", "b", "c"].entries()) map.set(key, at);
    map.get("a");
    map.set("d", 3);
    expect(["a", "b", "c", "d"].map((key) => map.get(key))).toEqual([0, undefined, 2, 3]);
    for (let n = 0; n < 10_000; n++) map.set(`k${n}`, n);
    expect(map.size).toBe(3);
    map.delete("k9999");
    expect(map.size).toBe(2);
  });
});

describe("timedCheck", () => {
  it("tells what came of a check, and aborts what is late", async () => {
    const clock = createClock();
    const ok = await timedCheck(clock.now, 1_000, async () => {
      clock.advance(12);
      return "fine";
    });
    expect(ok).toEqual({ ms: 12, result: "fine", failed: false });
    let aborted = false;
    const late = await timedCheck(clock.now, 10, (signal) => {
      signal.addEventListener("abort", () => (aborted = true));
      return never;
    });
    expect([late.failed, aborted]).toEqual([true, true]);
  });
});

describe("isSameJson", () => {
  it.each<[unknown, unknown, boolean]>([
    [{ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, true],
    [{}, {}, true],
    [[], {}, false],
    [[1, 2], [2, 1], false],
    [{ a: 1 }, { a: 1, b: 1 }, false],
    [{ a: undefined }, { b: undefined }, false],
    [null, {}, false],
    ["1", 1, false],
    [1, 1, true],
  ])("compares %j with %j", (left, right, expected) => {
    expect(isSameJson(left, right)).toBe(expected);
  });
});
