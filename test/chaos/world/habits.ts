import type { FaultName } from "./types.ts";

/**
 * Faults of one lane come one after the other, those of different lanes at the same time: the rooms' process can only be
 * in one state, but it may be killed while Postgres hangs and half of the acks are dropped. What is about one room has a
 * time of its own, when all other rooms are well.
 */
export type Lane = (typeof LANES)[number] | "aside";
/** Those of a storm. */
export const LANES = ["process", "services", "identity", "sockets"] as const;

interface Habit {
  lane: Lane;
  /** How long it lasts, in seconds. What happens at once is given a moment to be noticed. */
  seconds: readonly [min: number, max: number];
}

export const HABITS: Record<FaultName, Habit> = {
  rooms_killed: { lane: "process", seconds: [0.5, 4] },
  rooms_stopped: { lane: "process", seconds: [1, 7] },
  // The runtime puts a room to sleep after ten idle seconds. Who typed keeps it awake for 6 s, and every 25 s it wakes for
  // its sockets' heads: in this time it sleeps wherever those fall.
  rooms_evicted: { lane: "aside", seconds: [28, 28] },
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
  room_flooded: { lane: "aside", seconds: [5, 8] },
};

/** Which of the lanes a fault is of. */
export function laneOf(name: FaultName): Lane {
  return HABITS[name].lane;
}
