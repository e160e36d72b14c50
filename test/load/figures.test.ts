import { describe, expect, it } from "vitest";
import { computeFigures, formatFigures, isClean } from "../../commands/load/figures.ts";
import type { Log } from "../../commands/load/talker.ts";

const counts = { sent: 2, unanswered: 0, closedEarly: 0 };

function logOf(acked: string[], heard: string[], more: Partial<Log> = {}): Log {
  const entries = acked.map((id, at) => [id, { seq: at + 1, ackMs: (at + 1) * 10 }] as const);
  return { acked: new Map(entries), heard, refused: new Map(), outOfOrder: 0, ...more };
}

describe("the figures of a load test", () => {
  it("are clean when everything acked reached everybody and the history, once", () => {
    const figures = computeFigures(
      [{ logs: [logOf(["a", "b"], ["a", "b"]), logOf([], ["a", "b"])], history: ["a", "b"] }],
      counts,
    );
    expect(figures).toMatchObject({ acked: 2, delivered: 4, missing: 0, duplicated: 0 });
    expect(isClean(figures)).toBe(true);
  });

  it.each([
    ["a delivery is missing", [logOf(["a", "b"], ["a"])], ["a", "b"], { missing: 1 }],
    ["a delivery came again", [logOf(["a", "b"], ["a", "b", "b"])], ["a", "b"], { duplicated: 1 }],
    [
      "one is missing and another came again",
      [logOf(["a", "b"], ["a", "a"])],
      ["a", "b"],
      { missing: 1, duplicated: 1 },
    ],
    ["an order was broken", [logOf(["a", "b"], ["b", "a"], { outOfOrder: 1 })], ["a", "b"], { outOfOrder: 1 }],
    ["history lacks one", [logOf(["a", "b"], ["a", "b"])], ["a"], { notInHistory: 1 }],
    ["history has one twice", [logOf(["a", "b"], ["a", "b"])], ["a", "b", "b"], { twiceInHistory: 1 }],
  ])("are not clean when %s", (_, logs, history, expected) => {
    const figures = computeFigures([{ logs, history }], counts);
    expect(figures).toMatchObject(expected);
    expect(isClean(figures)).toBe(false);
  });

  it.each([
    ["a message was never answered", { ...counts, unanswered: 1 }],
    ["a socket was lost", { ...counts, closedEarly: 1 }],
  ])("are not clean when %s", (_, other) => {
    expect(isClean(computeFigures([{ logs: [logOf(["a"], ["a"])], history: ["a"] }], other))).toBe(false);
  });

  it("are not clean when nothing was acked at all", () => {
    expect(isClean(computeFigures([{ logs: [logOf([], [])], history: [] }], counts))).toBe(false);
  });

  it("stay clean when messages were refused, and say why", () => {
    const refused = new Map([["rate_limited", 3]]);
    const figures = computeFigures([{ logs: [logOf(["a"], ["a"], { refused })], history: ["a"] }], counts);
    expect(isClean(figures)).toBe(true);
    expect(formatFigures(figures)).toMatch(/refused rate_limited +3/);
  });

  it("give the delays of acks by rank", () => {
    const ids = Array.from({ length: 100 }, (_, at) => `m${at}`);
    const { ackMs } = computeFigures([{ logs: [logOf(ids, ids)], history: ids }], counts);
    expect(ackMs).toEqual({ p50: 500, p95: 950, p99: 990, max: 1_000 });
  });
});
