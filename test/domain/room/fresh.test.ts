import { describe, expect, it } from "vitest";
import { Fresh } from "../../../domain/room/fresh.ts";
import { eventAt } from "../../support/room-events.ts";

const seqsOf = (events: readonly { seq: number }[] | undefined) => events?.map(({ seq }) => seq);

function freshWith(from: number, to: number, bytes = 1): Fresh {
  const fresh = new Fresh();
  for (let seq = from; seq <= to; seq++) fresh.push(eventAt(seq), bytes);
  return fresh;
}

describe("what history does not have yet, in memory", () => {
  it("is given from any place that is there, as much as is asked for", () => {
    const fresh = freshWith(5, 9);
    expect(seqsOf(fresh.after(4, 100))).toEqual([5, 6, 7, 8, 9]);
    expect(seqsOf(fresh.after(6, 2))).toEqual([7, 8]);
    expect(fresh.after(9, 2)).toEqual([]);
  });

  it("is never given with a hole before it", () => {
    expect(freshWith(5, 9).after(3, 100)).toBeUndefined();
    expect(new Fresh().after(0, 100)).toBeUndefined();
  });

  it("is forgotten once history has it, and all at once when it may last", () => {
    const fresh = freshWith(1, 9);
    fresh.forget(0);
    fresh.forget(4);
    expect(fresh.after(3, 9)).toBeUndefined();
    expect(seqsOf(fresh.after(4, 9))).toEqual([5, 6, 7, 8, 9]);
    fresh.forget(9);
    expect(fresh.after(9, 9)).toBeUndefined();
    fresh.push(eventAt(10), 1);
    expect(seqsOf(fresh.after(9, 9))).toEqual([10]);
    fresh.clear();
    expect(fresh.after(9, 9)).toBeUndefined();
    fresh.forget(12);
    expect(fresh.after(9, 9)).toBeUndefined();
  });

  it("loses the oldest when there is too much of it", () => {
    expect(seqsOf(freshWith(1, 2_000).after(0, 3))).toEqual([1, 2, 3]);
    expect(freshWith(1, 2_001).after(0, 3)).toBeUndefined();
    expect(freshWith(1, 2_001).after(2_000, 3)).toHaveLength(1);
  });

  it("loses the oldest when it is too large, and counts anew what is left", () => {
    const fresh = freshWith(1, 1_024, 1_024);
    expect(fresh.after(0, 1)).toHaveLength(1);
    fresh.push(eventAt(1_025), 1);
    expect(fresh.after(512, 1)).toBeUndefined();
    expect(fresh.after(513, 1)).toHaveLength(1);
    for (let seq = 1_026; seq <= 1_538; seq++) fresh.push(eventAt(seq), 1_023);
    expect(fresh.after(513, 1)).toHaveLength(1);
    fresh.push(eventAt(1_539), 1_024);
    expect(fresh.after(513, 1)).toBeUndefined();
  });
});
