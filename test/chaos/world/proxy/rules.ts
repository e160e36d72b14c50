import type { Hop } from "../types.ts";

export type Direction = "up" | "down";

/** What a proxy does to what passes. "Up" is towards the server, "down" towards the client. */
export type Deed =
  /** New connections and requests are reset at once. */
  | { do: "refuse" }
  /** Nothing is forwarded, and neither side hears that the other has gone: a half-open connection. Requests wait. */
  | { do: "hang"; directions: readonly Direction[] }
  /** What the server sends is not read, so that it piles up there. */
  | { do: "stall" }
  /** Frames and requests arrive later, in their order. */
  | { do: "delay"; directions: readonly Direction[]; delayMs: number }
  /** Requests reach the server and are carried out; their answers do not come back. */
  | { do: "lose_answers" }
  /** Single frames of these types vanish, come twice, or change places with the next one. */
  | { do: "drop" | "double" | "swap"; directions: readonly Direction[]; types: readonly string[] };

/** Which connections a rule or a cut is about. */
export interface Aim {
  hops: readonly Hop[];
  rooms?: readonly string[] | undefined;
  /** The part of the connections, or of frames and requests for deeds that hit those: 0 to 1. */
  share: number;
  seed: number;
}

export type Rule = Aim & Deed;

/** Numbers from 0 to 1 that the seed decides (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What can be aimed at: a connection, or the request that stands for one. */
export interface Target {
  hop: Hop;
  room: string | undefined;
  /** Its number among all that were ever opened. */
  number: number;
}

/** Whether a connection is among those aimed at: the same answer for the same seed and connection, always. */
export function isAimedAt({ hops, rooms, share, seed }: Aim, { hop, room, number }: Target): boolean {
  if (!hops.includes(hop)) return false;
  if (rooms !== undefined && (room === undefined || !rooms.includes(room))) return false;
  return share >= 1 || seeded(seed ^ Math.imul(number, 0x9e3779b1))() < share;
}

/** A rule at work, with what it has hit so far. */
export class ActiveRule {
  readonly rule: Rule;
  hits = 0;
  readonly #random: () => number;
  readonly #lifted = Promise.withResolvers<void>();

  constructor(rule: Rule) {
    this.rule = rule;
    this.#random = seeded(rule.seed);
  }

  /** Whether the next frame or request is hit. */
  strikes(): boolean {
    return this.rule.share >= 1 || this.#random() < this.rule.share;
  }

  /** True for one in two: for what a rule leaves open. */
  tosses(): boolean {
    return this.#random() < 0.5;
  }

  lift(): void {
    this.#lifted.resolve();
  }

  get lifted(): Promise<void> {
    return this.#lifted.promise;
  }
}
