import { describe, expect, it } from "vitest";
import { BoundedMap } from "../../domain/bounded-map.ts";

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
