import { hashPair } from "./content-hash.ts";

/** Ids one generation is made for, at 20.8 bits each: one unknown id in 15,000 is then taken for a known one. */
export const IDS_PER_GENERATION = 50_000;
/** What fits into one value of a room's storage (128 KiB) with what is kept beside it. */
export const GENERATION_BYTES = 130_000;
/** 4 MB, and 1.6 million ids, at which one unknown id in 500 is taken for a known one. */
export const GENERATIONS_MAX = 32;
const BITS = GENERATION_BYTES * 8;
const PROBES = 10;

/** A part of the filter: the bits of the ids that left the room's log in one stretch of time. */
export interface Generation {
  /** Ids in it. */
  count: number;
  bits: Uint8Array;
}

/**
 * The client ids that have left a room's log, as a filter (after Bloom): it has forgotten none of them, and now and then
 * takes an id for one of them that is not. So an id it does not have is certainly new, and any other is a matter for
 * history. It does not grow without bound: when it is full, its two emptiest parts become one, which costs certainty and
 * never an id.
 *
 * The seed is the room's own, so that nobody can choose ids that look known.
 */
export class SpentIds {
  readonly seed: number;
  readonly #generations: Map<number, Generation>;

  constructor(seed: number, generations: ReadonlyMap<number, Generation> = new Map()) {
    this.seed = seed;
    this.#generations = new Map(generations);
  }

  /** How many ids have left the log. */
  get size(): number {
    return [...this.#generations.values()].reduce((sum, { count }) => sum + count, 0);
  }

  mayHave(id: string): boolean {
    if (this.#generations.size === 0) return false;
    const [first, step] = hashPair(id, this.seed);
    for (const { bits } of this.#generations.values()) if (hasAll(bits, first, step)) return true;
    return false;
  }

  /** Takes ids in. @returns the parts that changed, by number, to be kept before the ids are forgotten elsewhere. */
  add(ids: Iterable<string>): Map<number, Generation> {
    const changed = new Map<number, Generation>();
    for (const id of ids) {
      const [number, generation] = this.#open(changed);
      const [first, step] = hashPair(id, this.seed);
      for (let probe = 0; probe < PROBES; probe++) {
        const bit = bitOf(first, step, probe);
        generation.bits[bit >>> 3] = (generation.bits[bit >>> 3] ?? 0) | (1 << (bit & 7));
      }
      generation.count += 1;
      changed.set(number, generation);
    }
    return changed;
  }

  /** The part that still has room; an empty one when there is none. */
  #open(changed: Map<number, Generation>): [number, Generation] {
    for (const entry of this.#generations) if (entry[1].count < IDS_PER_GENERATION) return entry;
    const number = this.#generations.size < GENERATIONS_MAX ? this.#generations.size : this.#vacate(changed);
    const generation = { count: 0, bits: new Uint8Array(GENERATION_BYTES) };
    this.#generations.set(number, generation);
    return [number, generation];
  }

  /** Joins the two parts with the fewest ids. @returns the number that is free now. */
  #vacate(changed: Map<number, Generation>): number {
    const byCount = [...this.#generations].toSorted(([, one], [, other]) => one.count - other.count);
    const [kept, freed] = byCount;
    if (kept === undefined || freed === undefined) throw new Error("There are no two parts to join");
    for (const [at, byte] of freed[1].bits.entries()) kept[1].bits[at] = (kept[1].bits[at] ?? 0) | byte;
    kept[1].count += freed[1].count;
    changed.set(kept[0], kept[1]);
    return freed[0];
  }
}

function hasAll(bits: Uint8Array, first: number, step: number): boolean {
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = bitOf(first, step, probe);
    if (((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

// The cube keeps two ids that share first and step by halves from sharing all their bits.
function bitOf(first: number, step: number, probe: number): number {
  return (first + probe * step + (probe * probe * probe - probe) / 6) % BITS;
}
