import { HABITS } from "./habits.ts";
import type { FaultName, FaultOptions, PlannedFault } from "./types.ts";

/** The time in which only one room, or two, are hurt: then the others show whether it is any of their business. */
export const ASIDE_MS = 31_000;
/** What a storm leaves is healed by then. */
const START_MS = 2_000;
const GAP_MS = [500, 1_500] as const;
/**
 * What else can happen to one room. Only where a socket is that room's alone: one of the gateway's clients is in others as
 * well, so to break it would hurt those. The first always happens, the others as chance and time will have it.
 */
const ONE_ROOM: readonly FaultName[] = [
  "room_flooded",
  "reader_stalled",
  "gateway_hangs",
  "half_open",
  "gateway_cut",
  "frames_delayed",
  "sockets_cut",
];

export interface Aside {
  now: number;
  random: () => number;
  rooms: readonly string[];
  faults: readonly FaultName[];
}

/** One room is left alone until it sleeps; to another one, one thing after the other happens meanwhile. */
export function planAside({ now, random, rooms, faults }: Aside): PlannedFault[] {
  const planned: PlannedFault[] = [];
  const first = Math.floor(random() * rooms.length);
  const [asleep, hurt] = [rooms[first], rooms[(first + 1) % rooms.length]];
  const from = now + START_MS;
  if (faults.includes("rooms_evicted"))
    planned.push({ name: "rooms_evicted", atMs: from, ...lasting("rooms_evicted") });
  for (let atMs = from; ;) {
    const names = ONE_ROOM.filter((name) => faults.includes(name) && !planned.some((other) => other.name === name));
    const name = names[0] === "room_flooded" ? names[0] : names[Math.floor(random() * names.length)];
    if (name === undefined || atMs + HABITS[name].seconds[1] * 1_000 > now + ASIDE_MS) return planned;
    planned.push({ name, atMs: Math.round(atMs), ...lasting(name) });
    atMs += (planned.at(-1)?.forMs ?? 0) + between(GAP_MS, random);
  }

  function lasting(name: FaultName): Pick<PlannedFault, "forMs" | "options"> {
    const room = name === "rooms_evicted" ? asleep : hurt;
    const options: FaultOptions = {
      seed: drawSeed(random),
      hops: ["rooms", "gateway"],
      ...(room !== undefined && { rooms: [room] }),
    };
    return { forMs: Math.round(between(HABITS[name].seconds, random) * 1_000), options };
  }
}

export function between([min, max]: readonly [number, number], random: () => number): number {
  return min + random() * (max - min);
}

export function drawSeed(random: () => number): number {
  return Math.floor(random() * 0x1_0000_0000);
}
