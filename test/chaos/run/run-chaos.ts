import { SecretWatch } from "../clients/secrets.ts";
import type { EntryOf } from "../history/entries.ts";
import type { Recorder } from "../history/recorder.ts";
import type { ChaosWorld, Schedule, SeenAnswer } from "../world/types.ts";
import { type Actor, castActors, type CastOptions, createHttp } from "./cast.ts";
import { checkPresence, readEverything, settle, untilRowsAreThere } from "./finish.ts";
import { Lateness } from "./lateness.ts";
import type { LineTap } from "./line-tap.ts";
import { Injector, sleep } from "./injector.ts";
import { Seeded } from "./seeded.ts";
import { Traffic, type TrafficOptions } from "./traffic.ts";
import { Watch } from "./watch.ts";

/** As the design gives them. */
const BOUNDS: EntryOf<"run">["bounds"] = {
  // A Durable Object has 128 MiB, and the local runtime is one process for all of them.
  memoryBytes: 512 * 1024 * 1024,
  waiting: 10_000,
  unacknowledged: 512,
  fastAckMs: 50,
};
const PROGRESS_MS = 5_000;
const START_AT_ONCE = 8;

export interface RunOptions {
  seed: number;
  /** The line that does this run again. */
  command: string;
  schedule: Schedule;
  cast: CastOptions;
  traffic: TrafficOptions;
  /** How long to wait, at the end, until everybody must know who is there. Left out: that is not looked at. */
  presenceAfterMs?: number;
  /** What the run is judged by where it is not what the design gives. */
  bounds?: Partial<EntryOf<"run">["bounds"]>;
  /** Ends the run as soon as it is aborted: nothing settles then, and nothing is read. */
  over?: AbortSignal;
  /** How long everything may take to settle; 30 s when left out. */
  settleMs?: number;
  progress: (line: string) => void;
}

export interface RunOutcome {
  /** What had not settled 30 s after healing. */
  missing: string[];
  /** Rows that Postgres has refused, and has not been given again in a minute and a half. */
  lacking: string[];
  /** Faults that could not be injected or healed. */
  troubles: string[];
  /** Clients that were told to stop. */
  stopped: string[];
}

const NOTHING_MISSING = { missing: [], lacking: [], stopped: [] };

/** Lets clients talk in a world while the schedule hurts it; everything is in the recorder afterwards. */
export async function runChaos(
  world: ChaosWorld,
  recorder: Recorder,
  lines: LineTap,
  options: RunOptions,
): Promise<RunOutcome> {
  const { seed, schedule, cast, progress, command } = options;
  const random = new Seeded(seed);
  const secrets = new SecretWatch(recorder, world.secrets);
  lines.open((part, line) => secrets.look(line, `a line of the ${part}`));
  recorder.write({
    kind: "run",
    seed,
    startedAt: new Date().toISOString(),
    command,
    bounds: { ...BOUNDS, ...options.bounds },
  });
  const answered = await world.answers(); // a world may have had other runs
  const http = createHttp({ world, recorder, secrets });
  const watch = new Watch(world, recorder, cast.rooms);
  const lateness = new Lateness(recorder, world.stack.partyUrl);
  const actors = castActors(cast, { world, recorder, secrets, http, random: random.fork() });
  const injector = new Injector(world, recorder);
  const over = options.over ?? new AbortController().signal;
  const finish = { actors, rooms: cast.rooms, recorder, http, watch, refusals: injector.refusals };
  const reporting = setInterval(() => progress(describe(recorder, actors)), PROGRESS_MS);
  try {
    progress(`${actors.length} clients join ${cast.rooms.length} rooms`);
    await startAll(actors);
    recorder.write({ kind: "phase", phase: "calm" });
    const traffic = new Traffic(actors, http, random.fork(), options.traffic);
    await play(schedule, injector, recorder, over);
    traffic.stop();
    for (const trouble of injector.troubles) progress(`a fault failed: ${trouble}`);
    progress("healing everything");
    await world.heal();
    if (over.aborted) return { ...NOTHING_MISSING, troubles: injector.troubles };
    recorder.write({ kind: "phase", phase: "healed" });
    const missing = await settle(finish, options.settleMs, over);
    if (over.aborted) return { ...NOTHING_MISSING, troubles: injector.troubles };
    progress(missing.length === 0 ? "everybody sees the same" : `after 30 s ${missing.length} things have not settled`);
    const settledAt = recorder.now();
    const lacking = await untilRowsAreThere(finish, over);
    if (lacking.length > 0) progress(`Postgres has refused rows and still lacks ${lacking.join(", ")}`);
    if (options.presenceAfterMs !== undefined && missing.length === 0) {
      progress("waiting until everybody must know who is where");
      await checkPresence(finish, { afterMs: options.presenceAfterMs, since: settledAt });
    }
    progress("reading all of history");
    await readEverything(finish);
    recorder.write({ kind: "phase", phase: "ended" });
    await noteAnswers(world, recorder, answered);
    return { missing, lacking, troubles: injector.troubles, stopped: findStopped(actors) };
  } finally {
    clearInterval(reporting);
    for (const { client } of actors) client.stop();
    lateness.stop();
    await watch.stop();
    await recorder.close();
  }
}

async function startAll(actors: readonly Actor[]): Promise<void> {
  for (let at = 0; at < actors.length; at += START_AT_ONCE)
    await Promise.all(actors.slice(at, at + START_AT_ONCE).map(({ client }) => client.start()));
}

/** Every fault at its time; resolves when the schedule is over and each fault has ended. */
async function play(schedule: Schedule, injector: Injector, recorder: Recorder, over: AbortSignal): Promise<void> {
  const [first] = schedule.faults;
  const faults = schedule.faults.map(async (fault) => {
    await sleep(fault.atMs, over);
    if (fault === first) recorder.write({ kind: "phase", phase: "faults" });
    if (!over.aborted) await injector.run(fault, over);
  });
  await Promise.all([...faults, sleep(schedule.lengthMs, over)]);
  if (first === undefined) recorder.write({ kind: "phase", phase: "faults" });
}

/** Answers that no client of ours has written down: upgrades and answers to requests that were given up. */
async function noteAnswers(world: ChaosWorld, recorder: Recorder, before: readonly SeenAnswer[]): Promise<void> {
  for (const { method, path, status, count } of await world.answers()) {
    const known = before.find((answer) => answer.method === method && answer.path === path && answer.status === status);
    if (status >= 500 && count > (known?.count ?? 0))
      recorder.write({ kind: "request", route: `${method} ${path}`, status });
  }
}

function findStopped(actors: readonly Actor[]): string[] {
  return actors.flatMap(({ client }) =>
    client.stoppedWith === undefined ? [] : [`${client.options.name} was told to stop (${client.stoppedWith})`],
  );
}

function describe({ counts }: Recorder, actors: readonly Actor[]): string {
  const waiting = actors.reduce((sum, { client }) => sum + client.waiting, 0);
  const of = (kind: keyof typeof counts) => counts[kind] ?? 0;
  return `${of("ack")} acks, ${of("fault")} fault notes, ${of("closed")} sockets lost, ${waiting} messages waiting for an answer`;
}
