import { describe, expect, it } from "vitest";
import { timedCheck } from "../../domain/timed-check.ts";
import { createClock } from "../support/clock.ts";

const never = new Promise<never>(() => {});

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
