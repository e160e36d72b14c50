import type { CastOptions } from "../run/cast.ts";
import type { RunOptions } from "../run/run-chaos.ts";
import type { TrafficOptions } from "../run/traffic.ts";
import type { PlannedFault } from "../world/types.ts";
import type { Patch } from "./patch-plugin.ts";

/** A short run that leads to the place where certain bugs show. Without a bug nothing is violated in it. */
export interface Scenario {
  faults: readonly (Omit<PlannedFault, "options"> & { share?: number })[];
  lengthMs: number;
  cast: Omit<CastOptions, "rooms" | "prefix"> & { rooms: number };
  traffic: TrafficOptions;
  /** How long after the end everybody must know who is there. Left out: that is not looked at. */
  presenceAfterMs?: number;
  /** Where the run's own bounds would take too long to reach. */
  bounds?: RunOptions["bounds"];
  /** Changes that make the place easier to reach and are no bugs themselves; the run without a bug has them too. */
  setup?: readonly Patch[];
}

const QUIET = {
  go: 0,
  page: 0,
  pause: 0,
  reconnect: 0,
  lie: 0,
  offend: 0,
  exchange: 0,
  probe: 0,
  type: 0,
  read: 0,
  twin: 0,
  again: 0,
};
const SMALL = { clients: 8, rooms: 2, shared: 0.25, deaf: false, offenders: false };

export const SCENARIOS = {
  /** The rooms' process dies while Postgres is away, so what was acked is nowhere but in the rooms' storage. */
  killed: {
    faults: [
      { name: "postgres_refuses", atMs: 500, forMs: 5_000 },
      { name: "rooms_killed", atMs: 2_500, forMs: 300 },
    ],
    lengthMs: 6_500,
    cast: SMALL,
    traffic: { rate: 80, habits: QUIET },
  },
  /**
   * Sockets break, acks get lost, and people do what they must not do. In this order: a gap on a socket is forgiven for
   * some seconds where frames are lost.
   */
  restless: {
    faults: [
      { name: "sockets_cut", atMs: 1_000, forMs: 100 },
      { name: "acks_dropped", atMs: 3_500, forMs: 1_500 },
    ],
    lengthMs: 6_000,
    cast: { ...SMALL, offenders: true },
    traffic: { rate: 60, habits: { ...QUIET, twin: 3, again: 3, lie: 4, reconnect: 3, offend: 3, page: 2 } },
  },
  /** Postgres loses its answers, and then is away. */
  unkept: {
    faults: [
      { name: "postgres_loses_answers", atMs: 500, forMs: 1_500 },
      { name: "postgres_refuses", atMs: 2_500, forMs: 1_800 },
    ],
    lengthMs: 5_000,
    cast: SMALL,
    traffic: { rate: 80, habits: { ...QUIET, page: 6, probe: 2 } },
  },
  /** The gateway loses its way to the rooms while its clients' sockets stay. */
  shared: {
    faults: [
      { name: "gateway_cut", atMs: 800, forMs: 100 },
      { name: "gateway_cut", atMs: 1_600, forMs: 100 },
      { name: "gateway_cut", atMs: 2_400, forMs: 100 },
    ],
    lengthMs: 4_000,
    cast: { ...SMALL, shared: 0.5 },
    traffic: { rate: 80, habits: QUIET },
  },
  /** A busy room with somebody in it who never says what was received; some writes to Postgres take longer than others. */
  deaf: {
    faults: [{ name: "postgres_slow", atMs: 500, forMs: 4_500, share: 0.5 }],
    lengthMs: 6_500,
    cast: { ...SMALL, rooms: 1, deaf: true },
    traffic: { rate: 180, habits: QUIET },
  },
  /** People begin to type and forget about it, as hardly anybody then says anything; some who only listen leave for good. */
  forgetful: {
    faults: [],
    lengthMs: 11_000,
    cast: SMALL,
    traffic: { rate: 1, habits: { ...QUIET, type: 12, go: 0.4 }, typesForMs: 2_000 },
    presenceAfterMs: 7_000,
  },
  /** Postgres is away, and the rooms may keep little for it. */
  brimful: {
    faults: [{ name: "postgres_refuses", atMs: 500, forMs: 3_000 }],
    lengthMs: 4_000,
    cast: SMALL,
    traffic: { rate: 80, habits: QUIET },
    bounds: { waiting: 30 },
    setup: [
      {
        file: "domain/room/accept-message.ts",
        find: "BACKLOG_MAX_EVENTS = 10_000",
        replace: "BACKLOG_MAX_EVENTS = 30",
      },
    ],
  },
  /** A log that forgets early, and people who send again what they sent long ago. */
  forgotten: {
    faults: [],
    lengthMs: 7_000,
    cast: SMALL,
    traffic: { rate: 60, habits: { ...QUIET, again: 8 } },
    setup: [
      { file: "domain/room/event-log.ts", find: "LOG_MAX_EVENTS = 10_000", replace: "LOG_MAX_EVENTS = 30" },
      { file: "domain/room/event-log.ts", find: "REPLAY_MAX_EVENTS = 500", replace: "REPLAY_MAX_EVENTS = 30" },
      { file: "domain/room/event-log.ts", find: "PRUNE_LOT = 250", replace: "PRUNE_LOT = 10" },
    ],
  },
} satisfies Record<string, Scenario>;
export type ScenarioName = keyof typeof SCENARIOS;
