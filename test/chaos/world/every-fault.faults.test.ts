import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Chatter } from "./chatter.ts";
import { type ChaosWorld, FAULTS, type FaultName } from "./types.ts";
import { startWorld } from "./world.ts";

const lines: string[] = [];
let world: ChaosWorld;
let chatters: Chatter[];
beforeAll(async () => {
  world = await startWorld({ seed: 1, onLine: (_part, line) => void lines.push(line) });
  chatters = await Promise.all(
    ["ann", "bob", "cid", "dan"].map((user, at) => Chatter.start(world, user, at % 2 === 0 ? "gateway" : "room")),
  );
});
afterAll(async () => {
  for (const chatter of chatters ?? []) chatter.stop();
  await world?.stop();
});

/** Faults that do not stand in each other's way, injected together; how long each needs to hit something. */
const GROUPS: { faults: FaultName[]; forMs: number; share?: number }[] = [
  // Whoever has found Redis broken leaves it alone for a while: its two faults are far apart.
  { faults: ["redis_hangs"], forMs: 2_000 },
  { faults: ["rooms_evicted"], forMs: 28_000 },
  { faults: ["room_flooded"], forMs: 1_500 },
  { faults: ["issuer_rotates", "frames_doubled", "postgres_refuses", "redis_refuses"], forMs: 1_500 },
  { faults: ["frames_swapped", "postgres_hangs"], forMs: 1_500 },
  { faults: ["acks_dropped", "postgres_loses_answers"], forMs: 1_500 },
  { faults: ["frames_dropped", "postgres_slow"], forMs: 2_500 },
  { faults: ["frames_delayed", "postgres_refuses_rows"], forMs: 2_500 },
  { faults: ["half_open"], forMs: 1_000, share: 0.9 },
  { faults: ["reader_stalled"], forMs: 1_500, share: 0.9 },
  { faults: ["sockets_cut"], forMs: 0 },
  { faults: ["connections_refused"], forMs: 1_000 },
  { faults: ["gateway_delayed"], forMs: 1_500 },
  { faults: ["gateway_hangs"], forMs: 1_000, share: 0.9 },
  { faults: ["gateway_cut"], forMs: 0 },
  { faults: ["clock_forward"], forMs: 500 },
  { faults: ["clock_back"], forMs: 500 },
  { faults: ["rooms_stopped"], forMs: 1_000 },
  { faults: ["rooms_killed"], forMs: 500 },
  { faults: ["rooms_redeployed"], forMs: 0 },
  { faults: ["issuer_down"], forMs: 100 },
];

const HEALED_WITHIN_MS = 20_000;

describe("a world", () => {
  it("knows every fault that there is", () => {
    expect(new Set(GROUPS.flatMap(({ faults }) => faults))).toEqual(new Set(FAULTS));
  });

  it.each(GROUPS)("can suffer $faults, and be healed of it", async ({ faults, forMs, share }) => {
    const injected = await Promise.all(
      faults.map((name, at) => world.inject(name, { seed: 100 + at, ...(share !== undefined && { share }) })),
    );
    await new Promise((resolve) => setTimeout(resolve, forMs)); // what it takes to hit something
    await world.heal();
    const idle = injected.filter((each) => !each.hadEffect()).map((each) => `${each.name}: ${each.detail()}`);
    expect(idle).toEqual([]);
    await Promise.all(chatters.map((chatter) => chatter.isHeard(HEALED_WITHIN_MS)));
  });

  it("answers nothing worse than 503, and writes no secret anywhere", async () => {
    const answers = await world.answers();
    expect(answers.filter(({ path }) => path === "/v1/channels/lobby/messages").length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status >= 500 && status !== 503)).toEqual([]);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => world.secrets.some((secret) => line.includes(secret)))).toEqual([]);
  });

  it("tells what the rooms' runtime has in memory", async () => {
    expect(await world.roomsRss()).toBeGreaterThan(20_000_000);
  });
});
