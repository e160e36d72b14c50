import { ASIDE_MS, between, drawSeed, planAside } from "./aside.ts";
import { HABITS, LANES, laneOf } from "./habits.ts";
import { seeded } from "./proxy/rules.ts";
import { type CalmWindow, FAULTS, type FaultName, type PlannedFault, type Schedule } from "./types.ts";

const WARM_UP_MS = 12_000;
const STORM_MS = 100_000;
/** A storm before a time for single rooms, where the run is short. */
const LEAST_STORM_MS = 40_000;
/** Long enough for what must be so 30 s after healing. */
const CALM_MS = 36_000;
/** The most that the calm before the first fault and after the last may take of a short run. */
const WARM_UP_SHARE = 1 / 9;
const CLOSING_SHARE = 1 / 5;
type StormLane = (typeof LANES)[number];
const GAP_MS: Record<StormLane, readonly [number, number]> = {
  process: [3_000, 6_000], // a process that comes back needs some of it
  services: [400, 2_000],
  identity: [5_000, 30_000],
  sockets: [400, 2_000],
};

export interface Wishes {
  /** Default: all. */
  faults?: readonly FaultName[];
  /** The rooms that clients are in: then some faults are about one of them only. */
  rooms?: readonly string[];
}

/**
 * Which fault when, for how long and on what: the same for the same seed, always. It begins calm, for a baseline; then
 * storms and calm take turns. In a storm every kind has its turn before one comes again; after it, unless there is little
 * time, only one room or two are hurt for a while.
 */
export function schedule(seed: number, minutes: number, { faults = FAULTS, rooms = [] }: Wishes = {}): Schedule {
  const lengthMs = minutes * 60_000;
  const random = seeded(seed);
  const decks = new Map<StormLane, Deck>();
  for (const lane of LANES) {
    const names = faults.filter((name) => laneOf(name) === lane);
    if (names.length > 0) decks.set(lane, new Deck(names, random));
  }
  const planned: PlannedFault[] = [];
  const calm: CalmWindow[] = [];
  const closingMs = Math.min(CALM_MS / 2, lengthMs * CLOSING_SHARE);
  let now = Math.min(WARM_UP_MS, lengthMs * WARM_UP_SHARE);
  calm.push({ fromMs: 0, toMs: now });
  while (now < lengthMs) {
    const left = lengthMs - now;
    const isLast = left < STORM_MS + ASIDE_MS + CALM_MS;
    const badEnd = isLast ? Math.max(now, lengthMs - closingMs) : now + STORM_MS + ASIDE_MS;
    const stormEnd = badEnd - now > LEAST_STORM_MS + ASIDE_MS ? badEnd - ASIDE_MS : badEnd;
    for (const [lane, deck] of decks) planned.push(...planLane(lane, deck, { now, stormEnd, random }));
    if (stormEnd < badEnd) planned.push(...planAside({ now: stormEnd, random, rooms, faults }));
    now = isLast ? lengthMs : badEnd + CALM_MS;
    if (now > badEnd) calm.push({ fromMs: badEnd, toMs: now });
  }
  return { seed, lengthMs, faults: planned.toSorted((left, right) => left.atMs - right.atMs), calm };
}

interface Storm {
  now: number;
  stormEnd: number;
  random: () => number;
}

function planLane(lane: StormLane, deck: Deck, { now, stormEnd, random }: Storm): PlannedFault[] {
  const planned: PlannedFault[] = [];
  let atMs = now + between(GAP_MS[lane], random) / 2;
  for (;;) {
    const name = deck.fitting((each) => atMs + HABITS[each].seconds[0] * 1_000 <= stormEnd);
    if (name === undefined) return planned;
    const { seconds } = HABITS[name];
    const forMs = Math.min(Math.round(between(seconds, random) * 1_000), Math.floor(stormEnd - atMs));
    planned.push({ name, atMs: Math.round(atMs), forMs, options: { seed: drawSeed(random) } });
    atMs += forMs + between(GAP_MS[lane], random);
  }
}

/** Names in an order that chance decides; all of them come before one comes again. */
class Deck {
  readonly #names: readonly FaultName[];
  readonly #random: () => number;
  #left: FaultName[] = [];

  constructor(names: readonly FaultName[], random: () => number) {
    this.#names = names;
    this.#random = random;
  }

  /** The next one that fits; those that do not keep their turn. */
  fitting(fits: (name: FaultName) => boolean): FaultName | undefined {
    if (this.#left.length === 0) this.#left = this.#shuffled();
    const at = this.#left.findIndex(fits);
    return at === -1 ? undefined : this.#left.splice(at, 1)[0];
  }

  #shuffled(): FaultName[] {
    return this.#names
      .map((name) => ({ name, place: this.#random() }))
      .toSorted((left, right) => left.place - right.place)
      .map(({ name }) => name);
  }
}
