import { describe, expect, it } from "vitest";
import { closingLines } from "../../commands/test.ts";

describe("npm test", () => {
  it("ends with the count of passed and failed tests", () => {
    expect(closingLines({ passed: 12, failed: 0, failures: [], skipped: [] })).toEqual(["12 passed, 0 failed"]);
  });

  it("names what failed right before that, for whoever sees nothing but the end", () => {
    const failures = ["test/party/rooms.test.ts > rooms > keep order: expected 2 to be 1"];
    expect(closingLines({ passed: 12, failed: 1, failures, skipped: [] })).toEqual([
      "failed: test/party/rooms.test.ts > rooms > keep order: expected 2 to be 1",
      "12 passed, 1 failed",
    ]);
  });

  it("names each skipped test with its reason before the closing line", () => {
    const skipped = [{ name: "rooms > keep order", reason: "no DATABASE_URL" }];
    expect(closingLines({ passed: 12, failed: 0, failures: [], skipped })).toEqual([
      "skipped: rooms > keep order (no DATABASE_URL)",
      "1 skipped",
      "12 passed, 0 failed",
    ]);
  });
});
