import { type InvariantName, judge, type Verdict } from "../checker/check.ts";
import type { Entry } from "../history/entries.ts";
import { Recorder } from "../history/recorder.ts";
import type { LineTap } from "../run/line-tap.ts";
import { runChaos } from "../run/run-chaos.ts";
import type { ChaosWorld } from "../world/types.ts";
import type { Bug } from "./bugs.ts";
import { patchPlugin } from "./patch-plugin.ts";
import { type Scenario, type ScenarioName, SCENARIOS } from "./scenarios.ts";

const LOOK_MS = 1_000;
const ROUNDS_MAX = 3;
const SETTLE_WITH_BUG_MS = 10_000;
/** The runs with bugs share the machine with other tests: what they are after is never a matter of speed. */
const FAST_ACK_MS = 2_000;

/** What can be told while a run goes on; the others need to know how it ended. */
const EARLY: ReadonlySet<InvariantName> = new Set<InvariantName>([
  "a message sent again is there once",
  "seq is 1..head, one content each",
  "acks of one message agree",
  "history has what was just acked",
  "streams have no gap and no repeat",
  "resume is whole or says it is not",
  "slow readers are held back",
  "nothing refused is visible",
  "nothing is visible that nobody sent",
  "one socket's sends keep their order",
  "short reconnects are not seen",
  "typing is never older than 6 s",
  "the outbox stays in its bounds",
  "the outbox drains in order",
  "the rooms stay under their memory bound",
  "no 5xx other than 503",
  "no secret appears anywhere",
]);

/** A scenario, with a bug or without. */
export interface Hunt {
  scenario: ScenarioName;
  bug?: Bug | undefined;
  /** Where the history goes; that of the last round stays. */
  file?: string;
}

export interface Hunted {
  entries: readonly Entry[];
  /** The invariants that were broken. */
  broken: InvariantName[];
  verdicts: Verdict[];
  missing: string[];
  troubles: string[];
  /** Faults of the scenario that hit nothing: without them it has not led to where its bugs show. */
  idle: string[];
}

/**
 * Runs a scenario in rooms of its own, with a bug or without. What is on its way when a fault hits is a matter of chance,
 * so it is run again, a few times at most: with a bug until that is found, without one until every fault has hit
 * something.
 */
export async function hunt(world: ChaosWorld, lines: LineTap, wanted: Hunt): Promise<Hunted> {
  const { scenario, bug } = wanted;
  const { setup }: Scenario = SCENARIOS[scenario];
  await build(world, setup, bug);
  for (let round = 1; ; round++) {
    const hunted = await runOnce(world, lines, { ...wanted, round });
    const isDone =
      bug === undefined ? hunted.idle.length === 0 : hunted.broken.some((each) => bug.breaks.includes(each));
    if (isDone || round === ROUNDS_MAX) return hunted;
  }
}

/** Ends as soon as something is found that the bug is expected to break. */
async function runOnce(
  world: ChaosWorld,
  lines: LineTap,
  { scenario: name, bug, file, round }: Hunt & { round: number },
): Promise<Hunted> {
  const { faults, lengthMs, cast, traffic, bounds, presenceAfterMs }: Scenario = SCENARIOS[name];
  const recorder = new Recorder(file);
  const tag = `${name}-${bug?.name ?? "clean"}-${round}`.replaceAll("_", "-");
  const over = new AbortController();
  const isExpected = ({ name: invariant, violations }: Verdict) =>
    violations.length > 0 && bug !== undefined && bug.breaks.includes(invariant);
  const looking = setInterval(() => {
    if (judge(recorder.entries).some((verdict) => EARLY.has(verdict.name) && isExpected(verdict))) over.abort();
  }, LOOK_MS);
  try {
    const { missing, troubles } = await runChaos(world, recorder, lines, {
      seed: round,
      command: bug === undefined ? "npm run test:integration -- bugs" : `npm run chaos -- --bug ${bug.name}`,
      schedule: {
        seed: round,
        lengthMs,
        calm: [],
        faults: faults.map(({ share, ...fault }, at) => ({
          ...fault,
          options: { seed: round * 100 + at, ...(share !== undefined && { share }) },
        })),
      },
      cast: { ...cast, rooms: Array.from({ length: cast.rooms }, (_, at) => `${tag}-${at}`), prefix: `${tag}-` },
      traffic,
      ...(presenceAfterMs !== undefined && { presenceAfterMs }),
      bounds: { fastAckMs: FAST_ACK_MS, ...bounds },
      over: over.signal,
      ...(bug !== undefined && { settleMs: SETTLE_WITH_BUG_MS }),
      progress: () => undefined,
    });
    const verdicts = judge(recorder.entries).filter((verdict) => !over.signal.aborted || EARLY.has(verdict.name));
    const broken = verdicts.flatMap((verdict) => (verdict.violations.length > 0 ? [verdict.name] : []));
    const idle = recorder.entries.flatMap((entry) =>
      entry.kind === "fault" && entry.hadEffect === false ? [entry.name] : [],
    );
    return { entries: recorder.entries, broken, verdicts, missing, troubles, idle };
  } finally {
    clearInterval(looking);
  }
}

const built = new WeakMap<ChaosWorld, Record<"rooms" | "worker", string>>();

/** Replaces those parts of the world that are not built like this already. */
async function build(world: ChaosWorld, setup: Scenario["setup"] = [], bug: Bug | undefined): Promise<void> {
  const is = built.get(world) ?? { rooms: "[]", worker: "[]" };
  built.set(world, is);
  for (const part of ["rooms", "worker"] as const) {
    const patches = [...setup, ...(bug?.part === part ? bug.patches : [])];
    const wanted = JSON.stringify(patches);
    if (wanted === is[part]) continue;
    await world.replace(part, [patchPlugin(patches)]);
    is[part] = wanted;
  }
}
