import { describe, expect, it } from "vitest";
import { isSameJson } from "../../domain/same-json.ts";

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
