import { describe, expect, it } from "vitest";
import { hashPair } from "../../../domain/room/content-hash.ts";
import {
  GENERATION_BYTES,
  GENERATIONS_MAX,
  type Generation,
  IDS_PER_GENERATION,
  SpentIds,
} from "../../../domain/room/spent-ids.ts";

const empty = (count = 0): Generation => ({ count, bits: new Uint8Array(GENERATION_BYTES) });
/** As many parts as there may be, full of ids of which no bit is known. */
const full = (counts: (at: number) => number = () => IDS_PER_GENERATION) =>
  new Map(Array.from({ length: GENERATIONS_MAX }, (_, at) => [at, empty(counts(at))]));
const bitsIn = ({ bits }: Generation) =>
  bits.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
const names = (from: number, count: number) => Array.from({ length: count }, (_, at) => `user|client-${from + at}`);

describe("I06 ids that have left the log", () => {
  it("are none at first", () => {
    const ids = new SpentIds(7);
    expect([ids.seed, ids.size, ids.mayHave("user|client-1"), ids.add([]).size]).toEqual([7, 0, false, 0]);
    expect(new SpentIds(7, new Map([[0, empty()]])).mayHave("user|client-1")).toBe(false);
  });

  it("are known from then on, ten bits each, and others are not", () => {
    const ids = new SpentIds(7);
    const changed = ids.add(["user|client-1"]);
    expect([...changed.keys()]).toEqual([0]);
    expect(changed.get(0)).toMatchObject({ count: 1 });
    expect(bitsIn(changed.get(0) ?? empty())).toBe(10);
    ids.add(names(2, 500));
    expect(names(1, 501).filter((name) => !ids.mayHave(name))).toEqual([]);
    expect(names(10_000, 2_000).filter((name) => ids.mayHave(name))).toEqual([]);
    expect(ids.size).toBe(501);
  });

  it("have their bits where they always had them, so that what was kept is read by the rooms of tomorrow", () => {
    const [first, step] = hashPair("user|client-1", 7);
    const places = Array.from(
      { length: 10 },
      (_, probe) => (first + probe * step + (probe ** 3 - probe) / 6) % (GENERATION_BYTES * 8),
    );
    const { bits } = new SpentIds(7).add(["user|client-1"]).get(0) ?? empty();
    const set = [...bits].flatMap((byte, at) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (1 << bit)).map((bit) => at * 8 + bit),
    );
    expect(set).toEqual(places.toSorted((one, other) => one - other));
  });

  it("are all looked for in one part: half here and half there is none", () => {
    const { bits } = new SpentIds(7).add(["user|client-1"]).get(0) ?? empty();
    const middle = GENERATION_BYTES / 2;
    const [low, high] = [empty(1), empty(1)];
    low.bits.set(bits.subarray(0, middle));
    high.bits.set(bits.subarray(middle), middle);
    expect(
      new SpentIds(
        7,
        new Map([
          [0, low],
          [1, high],
        ]),
      ).mayHave("user|client-1"),
    ).toBe(false);
    expect(
      new SpentIds(
        7,
        new Map([
          [0, empty(1)],
          [1, { count: 1, bits }],
        ]),
      ).mayHave("user|client-1"),
    ).toBe(true);
    expect(new SpentIds(8, new Map([[0, { count: 1, bits }]])).mayHave("user|client-1")).toBe(false);
  });

  it("go into the first part that has room, and into a new one when none has", () => {
    const kept = new Map([
      [0, empty(IDS_PER_GENERATION)],
      [1, empty(IDS_PER_GENERATION - 1)],
    ]);
    const ids = new SpentIds(7, kept);
    const changed = ids.add(["user|client-1", "user|client-2"]);
    expect([...changed].map(([part, { count }]) => [part, count])).toEqual([
      [1, IDS_PER_GENERATION],
      [2, 1],
    ]);
    expect([...ids.add(["user|client-3"])].map(([part, { count }]) => [part, count])).toEqual([[2, 2]]);
    expect(kept.size).toBe(2);
  });

  it("go into the place of the two emptiest parts when there are as many as may be, and those become one", () => {
    const kept = full((at) => IDS_PER_GENERATION + (at === 5 ? 1 : at === 9 ? 2 : 10 + at));
    const [five, nine] = [kept.get(5), kept.get(9)];
    five?.bits.set([0b0101, 0], 0);
    nine?.bits.set([0b0011, 0b1000], 0);
    const ids = new SpentIds(7, kept);
    const before = ids.size;
    const changed = ids.add(["user|client-1"]);
    expect([...changed.keys()]).toEqual([5, 9]);
    expect(changed.get(5)).toMatchObject({ count: 2 * IDS_PER_GENERATION + 3 });
    expect([...(changed.get(5)?.bits.subarray(0, 3) ?? [])]).toEqual([0b0111, 0b1000, 0]);
    expect(changed.get(9)).toMatchObject({ count: 1 });
    expect(bitsIn(changed.get(9) ?? empty())).toBe(10);
    expect([ids.size, ids.mayHave("user|client-1")]).toEqual([before + 1, true]);
  });

  it("are in as many parts as may be before any two become one", () => {
    const kept = full();
    kept.delete(GENERATIONS_MAX - 1);
    const ids = new SpentIds(7, kept);
    expect([...ids.add(["user|client-1"]).keys()]).toEqual([GENERATIONS_MAX - 1]);
  });
});
