import { expect, it } from "vitest";
import {
  GENERATION_BYTES,
  GENERATIONS_MAX,
  type Generation,
  IDS_PER_GENERATION,
  SpentIds,
} from "../../domain/room/spent-ids.ts";

const nameOf = (n: number) => `user-${n % 97}|client-${n}`;

function* names(from: number, count: number): Iterable<string> {
  for (let n = from; n < from + count; n++) yield nameOf(n);
}

function mistaken(ids: SpentIds, tries: number): number {
  let count = 0;
  for (let n = 0; n < tries; n++) if (ids.mayHave(`stranger|never-${n}`)) count++;
  return count;
}

it("I06 has every id that was added, and hardly any other", () => {
  const ids = new SpentIds(4711);
  expect(ids.mayHave(nameOf(0))).toBe(false);
  ids.add(names(0, IDS_PER_GENERATION));
  for (const name of names(0, IDS_PER_GENERATION)) if (!ids.mayHave(name)) throw new Error(`${name} is lost`);
  // One in 15,000 is expected: 20 in 300,000.
  expect(mistaken(ids, 300_000)).toBeLessThan(60);
});

it("I06 tells which parts changed, each small enough for one value of storage", () => {
  const ids = new SpentIds(4711);
  expect([...ids.add(names(0, 3)).keys()]).toEqual([0]);
  const parts = ids.add(names(3, IDS_PER_GENERATION));
  expect([...parts.keys()]).toEqual([0, 1]);
  for (const { bits } of parts.values()) expect(bits.byteLength).toBe(GENERATION_BYTES);
  expect(GENERATION_BYTES).toBeLessThan(128 * 1024 - 512);
});

it("I06 is the same again from what was kept", () => {
  const kept = new Map<number, Generation>();
  const ids = new SpentIds(4711);
  for (const [part, generation] of ids.add(names(0, 60_000))) kept.set(part, structuredClone(generation));
  const again = new SpentIds(4711, kept);
  expect(again.size).toBe(60_000);
  for (const name of names(0, 60_000)) if (!again.mayHave(name)) throw new Error(`${name} is lost`);
});

it("I06 stays in its bounds and loses nothing when it is full", () => {
  const ids = new SpentIds(1);
  const kept = new Map<number, Generation>();
  const total = (GENERATIONS_MAX + 3) * IDS_PER_GENERATION;
  for (let from = 0; from < total; from += 10_000)
    for (const [part, generation] of ids.add(names(from, 10_000))) kept.set(part, generation);
  expect(kept.size).toBe(GENERATIONS_MAX);
  expect(ids.size).toBe(total);
  const again = new SpentIds(1, kept);
  for (let n = 0; n < total; n += 7) if (!again.mayHave(nameOf(n))) throw new Error(`${nameOf(n)} is lost`);
  expect(mistaken(again, 20_000) / 20_000).toBeLessThan(0.05);
});

it("I06 cannot be aimed at: what looks known in one room does not in another", () => {
  const [one, other] = [new SpentIds(1), new SpentIds(2)];
  one.add(names(0, IDS_PER_GENERATION));
  other.add(names(IDS_PER_GENERATION, IDS_PER_GENERATION));
  const found: string[] = [];
  for (let n = 0; found.length < 20 && n < 2_000_000; n++)
    if (one.mayHave(`mallory|try-${n}`)) found.push(`mallory|try-${n}`);
  expect(found.filter((name) => other.mayHave(name)).length).toBeLessThan(3);
});
