import { seeded } from "./proxy/rules.ts";
import {
  type CalmWindow,
  FAULTS,
  type FaultName,
  type FaultOptions,
  type PlannedFault,
  type Schedule,
} from "./types.ts";

/**
 * Faults of one lane come one after the other, those of different lanes at the same time: the rooms' process can only be
 * in one state, but it may be killed while Postgres hangs and half of the acks are dropped.
 */
type Lane = (typeof LANES)[number];
const LANES = ["process", "services", "identity", "sockets"] as const;

interface Habit {
  lane: Lane;
  /** How long it lasts, in seconds. What happens at once is given a moment to be noticed. */
  seconds: readonly [min: number, max: number];
  /** Concerns one room and not all. */
  oneRoom?: true;
}

const HABITS: Record<FaultName, Habit> = {
  rooms_killed: { lane: "process", seconds: [0.5, 4] },
  rooms_stopped: { lane: "process", seconds: [1, 7] },
  // The runtime puts a room to sleep after ten idle seconds, and a room with sockets wakes every 25 s for their heads.
  rooms_evicted: { lane: "process", seconds: [20, 22], oneRoom: true },
  rooms_redeployed: { lane: "process", seconds: [1, 2] },
  clock_forward: { lane: "process", seconds: [3, 9] },
  clock_back: { lane: "process", seconds: [3, 9] },
  postgres_refuses: { lane: "services", seconds: [2, 9] },
  postgres_hangs: { lane: "services", seconds: [3, 9] },
  postgres_slow: { lane: "services", seconds: [4, 9] },
  postgres_loses_answers: { lane: "services", seconds: [2, 7] },
  postgres_refuses_rows: { lane: "services", seconds: [4, 9] },
  redis_refuses: { lane: "services", seconds: [2, 7] },
  redis_hangs: { lane: "services", seconds: [2, 7] },
  issuer_down: { lane: "identity", seconds: [5, 9] },
  // The Worker fetches a key set every 30 s at most.
  issuer_rotates: { lane: "identity", seconds: [30, 33] },
  frames_dropped: { lane: "sockets", seconds: [3, 8] },
  frames_delayed: { lane: "sockets", seconds: [3, 8] },
  frames_doubled: { lane: "sockets", seconds: [2, 7] },
  frames_swapped: { lane: "sockets", seconds: [2, 7] },
  acks_dropped: { lane: "sockets", seconds: [2, 6] },
  half_open: { lane: "sockets", seconds: [4, 12] },
  reader_stalled: { lane: "sockets", seconds: [4, 12] },
  sockets_cut: { lane: "sockets", seconds: [0.5, 1] },
  connections_refused: { lane: "sockets", seconds: [1, 4] },
  gateway_cut: { lane: "sockets", seconds: [0.5, 1] },
  gateway_hangs: { lane: "sockets", seconds: [3, 9] },
  gateway_delayed: { lane: "sockets", seconds: [3, 8] },
};

/** Which of the lanes a fault is of. */
export function laneOf(name: FaultName): Lane {
  return HABITS[name].lane;
}

const WARM_UP_MS = 12_000;
const STORM_MS = 100_000;
/** Long enough for what must be so 30 s after healing. */
const CALM_MS = 36_000;
/** The most that the calm before the first fault and after the last may take of a short run. */
const WARM_UP_SHARE = 1 / 9;
const CLOSING_SHARE = 1 / 5;
const GAP_MS: Record<Lane, readonly [number, number]> = {
  process: [3_000, 6_000], // a process that comes back needs some of it
  services: [500, 2_500],
  identity: [5_000, 30_000],
  sockets: [500, 2_500],
};

export interface Wishes {
  /** Default: all. */
  faults?: readonly FaultName[];
  /** The rooms that clients are in: then some faults are about one of them only. */
  rooms?: readonly string[];
}

/**
 * Which fault when, for how long and on what: the same for the same seed, always. It begins calm, for a baseline; then
 * storms and calm take turns. In a storm every kind has its turn before one comes again.
 */
export function schedule(seed: number, minutes: number, { faults = FAULTS, rooms = [] }: Wishes = {}): Schedule {
  const lengthMs = minutes * 60_000;
  const random = seeded(seed);
  const decks = new Map<Lane, Deck>();
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
    const isLast = lengthMs - now < STORM_MS + CALM_MS;
    const stormEnd = isLast ? Math.max(now, lengthMs - closingMs) : now + STORM_MS;
    for (const [lane, deck] of decks) planned.push(...planLane(lane, deck, { now, stormEnd, random, rooms }));
    now = isLast ? lengthMs : stormEnd + CALM_MS;
    if (now > stormEnd) calm.push({ fromMs: stormEnd, toMs: now });
  }
  return { seed, lengthMs, faults: planned.toSorted((left, right) => left.atMs - right.atMs), calm };
}

interface Storm {
  now: number;
  stormEnd: number;
  random: () => number;
  rooms: readonly string[];
}

function planLane(lane: Lane, deck: Deck, { now, stormEnd, random, rooms }: Storm): PlannedFault[] {
  const planned: PlannedFault[] = [];
  let atMs = now + between(GAP_MS[lane], random) / 2;
  for (;;) {
    const name = deck.fitting((each) => atMs + HABITS[each].seconds[0] * 1_000 <= stormEnd);
    if (name === undefined) return planned;
    const { seconds } = HABITS[name];
    const forMs = Math.min(Math.round(between(seconds, random) * 1_000), Math.floor(stormEnd - atMs));
    planned.push({ name, atMs: Math.round(atMs), forMs, options: optionsFor(name, random, rooms) });
    atMs += forMs + between(GAP_MS[lane], random);
  }
}

function optionsFor(name: FaultName, random: () => number, rooms: readonly string[]): FaultOptions {
  const seed = Math.floor(random() * 0x1_0000_0000);
  const room = rooms[Math.floor(random() * rooms.length)];
  return HABITS[name].oneRoom === true && room !== undefined ? { seed, rooms: [room] } : { seed };
}

function between([min, max]: readonly [number, number], random: () => number): number {
  return min + random() * (max - min);
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
