import type { Plugin } from "esbuild";
import type { Stack } from "../../support/stack.ts";

/** Where a proxy stands: the first two in front of clients, the others between parts. */
export const HOPS = ["worker", "rooms", "gateway", "postgres", "redis", "issuer"] as const;
export type Hop = (typeof HOPS)[number];

/** Everything that can be done to a world, by name. */
export const FAULTS = [
  // The rooms' process.
  "rooms_killed",
  "rooms_stopped",
  "rooms_evicted",
  "rooms_redeployed",
  "clock_forward",
  "clock_back",
  // What stands behind the rooms and the Worker.
  "postgres_refuses",
  "postgres_hangs",
  "postgres_slow",
  "postgres_loses_answers",
  "postgres_refuses_rows",
  "redis_refuses",
  "redis_hangs",
  "issuer_down",
  "issuer_rotates",
  // Sockets of clients.
  "frames_dropped",
  "frames_delayed",
  "frames_doubled",
  "frames_swapped",
  "acks_dropped",
  "half_open",
  "reader_stalled",
  "sockets_cut",
  "connections_refused",
  // Sockets from the gateway to the rooms.
  "gateway_cut",
  "gateway_hangs",
  "gateway_delayed",
  // One room.
  "room_flooded",
] as const;
export type FaultName = (typeof FAULTS)[number];

export interface FaultOptions {
  /** Decides which sockets, frames and requests are hit. */
  seed: number;
  /** The part of the sockets (of frames, for those that hit frames) that is hit: 0 to 1. Default: what suits the fault. */
  share?: number;
  /** Only sockets that were opened to these rooms; a socket of several rooms counts as that of its first. Default: all. */
  rooms?: readonly string[];
  /** Only what passes here, of the places where the fault is at work. */
  hops?: readonly Hop[];
}

/** A fault at work. */
export interface Injected {
  readonly name: FaultName;
  /** Ends it; resolves when what was broken can work again. A second call does nothing. */
  heal(): Promise<void>;
  /** Whether something was really hit. True at the latest after `heal`; a fault without traffic may have hit nothing. */
  hadEffect(): boolean;
  /** What was hit and how often: "41 sockets lost", "112 frames doubled". */
  detail(): string;
}

/** One line of a schedule; times in milliseconds from the beginning. */
export interface PlannedFault {
  name: FaultName;
  atMs: number;
  forMs: number;
  options: FaultOptions;
}

/** When nothing is injected and nothing is still healing: the time for baselines and for checks of convergence. */
export interface CalmWindow {
  fromMs: number;
  toMs: number;
}

export interface Schedule {
  seed: number;
  lengthMs: number;
  faults: readonly PlannedFault[];
  calm: readonly CalmWindow[];
}

export interface WorldOptions {
  seed: number;
  /** Settings that win over the stack's own. */
  environment?: Record<string, string>;
  /** Change the source while the rooms or the Worker are bundled: how a seeded bug gets in. */
  patches?: { rooms?: readonly Plugin[]; worker?: readonly Plugin[] };
  /** Told every line that the Worker ("Worker") and the rooms ("rooms") write. */
  onLine?: (part: string, line: string) => void;
}

/** An answer that a client got through the proxies, by path without its query. */
export interface SeenAnswer {
  hop: Hop;
  method: string;
  path: string;
  status: number;
  count: number;
}

/** A running stack with a proxy at every hop, to which things can be done. */
export interface ChaosWorld {
  stack: Stack;
  /** For clients: all three go through a proxy. The stack's own addresses do not. */
  apiUrl: string;
  wsUrl: string;
  partyUrl: string;
  faults: readonly FaultName[];
  inject(name: FaultName, options: FaultOptions): Promise<Injected>;
  /** Ends every fault that is at work, and resolves when all parts answer again. */
  heal(): Promise<void>;
  /** Resident bytes of the rooms' runtime; 0 while it is down. */
  roomsRss(): Promise<number>;
  /** Every answer to a plain HTTP request or a refused upgrade, on the two client hops. */
  answers(): Promise<SeenAnswer[]>;
  /** What must never be in a log line, an answer or a frame: keys, passwords and secrets of this stack. */
  secrets: readonly string[];
  /** Starts a part anew, built with these changes of its source instead of those before; what it kept stays. */
  replace(part: "rooms" | "worker", patches: readonly Plugin[]): Promise<void>;
  stop(): Promise<void>;
}
