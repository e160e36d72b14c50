import { describe, expect, it } from "vitest";
import { closingLines } from "../../commands/test.ts";

describe("npm test", () => {
  it("ends with the count of passed and failed tests", () => {
    expect(closingLines({ passed: 12, failed: 0, failures: [], skipped: [] })).toEqual(["12 passed, 0 failed"]);
  });

  it("names what failed right before that, for whoever sees nothing but the end", () => {
    const failures = [
      { name: "test/party/rooms.test.ts > rooms > keep order", reason: "Violated: order\n  3.1 s: 2 after 3\n" },
      { name: "test/party/doors.test.ts", reason: undefined },
      { name: "test/party/long.test.ts > is long", reason: "x".repeat(5_000) },
    ];
    expect(closingLines({ passed: 12, failed: 3, failures, skipped: [] })).toEqual([
      "failed: test/party/rooms.test.ts > rooms > keep order: Violated: order 3.1 s: 2 after 3",
      "failed: test/party/doors.test.ts",
      `failed: test/party/long.test.ts > is long: ${"x".repeat(600)}`,
      "12 passed, 3 failed",
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
