import { describe, expect, it } from "vitest";
import { Recent } from "../../domain/recent.ts";
import { SharedWork } from "../../domain/shared-work.ts";
import { createClock } from "../support/clock.ts";

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
