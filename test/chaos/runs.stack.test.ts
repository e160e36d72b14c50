import { afterAll, beforeAll, expect, it } from "vitest";
import { judge } from "./checker/check.ts";
import { Recorder } from "./history/recorder.ts";
import { computeFigures, formatReport, formatViolations } from "./report/report.ts";
import type { ClientKind } from "./run/cast.ts";
import { PRESENCE_MS } from "./run/finish.ts";
import { LineTap } from "./run/line-tap.ts";
import { runChaos } from "./run/run-chaos.ts";
import { schedule } from "./world/schedule.ts";
import { type ChaosWorld, FAULTS, type FaultName } from "./world/types.ts";
import { startWorld } from "./world/world.ts";

const MINUTES = 0.6;
const RATE = 60;
const CLIENTS = 20;

/** A row that Postgres has refused is offered again after a minute: that is waited for once. */
const WITHOUT_ROWS = FAULTS.filter((name) => name !== "postgres_refuses_rows");
/** Some of what each seed stands for; the whole of it is drawn from the seed. */
const RUNS: { seed: number; client: ClientKind; rate?: number; faults: readonly FaultName[]; among: FaultName[] }[] = [
  {
    seed: 34,
    client: "raw",
    faults: FAULTS,
    among: ["postgres_refuses_rows", "clock_forward", "rooms_killed", "rooms_stopped"],
  },
  {
    seed: 11,
    client: "raw",
    faults: WITHOUT_ROWS,
    among: ["clock_back", "rooms_redeployed", "half_open", "postgres_loses_answers"],
  },
  {
    seed: 21,
    client: "sdk",
    rate: 30, // it has one message of a room on its way at a time, and what has gathered must be gone in half a minute
    faults: WITHOUT_ROWS,
    among: ["rooms_killed", "rooms_stopped", "acks_dropped", "half_open", "sockets_cut"],
  },
];

/** Other tests may run beside this one, so how fast acks are is not judged here; the long run does that. */
const FAST_ACK_MS = 5_000;

const lines = new LineTap();
let world: ChaosWorld | undefined;
beforeAll(async () => {
  world = await startWorld({ seed: 1, onLine: lines.onLine });
});
afterAll(async () => {
  await world?.stop();
});

it.each(RUNS)("every promise is kept while all breaks (seed $seed, $client)", { timeout: 240_000 }, async (run) => {
  if (world === undefined) throw new Error("There is no world to break");
  const { seed, client, rate = RATE, faults, among } = run;
  const rooms = [1, 2, 3, 4].map((number) => `seed-${seed}-room-${number}`);
  const planned = schedule(seed, MINUTES, { faults, rooms });
  const recorder = new Recorder();
  const outcome = await runChaos(world, recorder, lines, {
    seed,
    command: `npm run chaos -- --seed ${seed} --minutes ${MINUTES} --clients ${CLIENTS} --rooms ${rooms.length} --rate ${rate} --client ${client}`,
    schedule: planned,
    cast: { clients: CLIENTS, rooms, prefix: `seed-${seed}-`, client },
    traffic: { rate },
    // Whoever waits for refused rows waits long enough for this as well.
    ...(faults === FAULTS && { presenceAfterMs: PRESENCE_MS }),
    bounds: { fastAckMs: FAST_ACK_MS },
    progress: (line) => console.log(line),
  });
  const verdicts = judge(recorder.entries);
  const figures = computeFigures(recorder.entries);
  console.log(formatReport(figures, verdicts, undefined));
  const violated = formatViolations(verdicts);
  expect(violated, violated.join("\n")).toEqual([]);
  expect(outcome).toEqual({ missing: [], lacking: [], troubles: [], stopped: [] });
  expect(planned.faults.map(({ name }) => name)).toEqual(expect.arrayContaining(among));
  expect(figures.effective).toBeGreaterThan(8);
  expect(figures.acked).toBeGreaterThan(300);
});
