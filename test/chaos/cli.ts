import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PROJECT_DIR } from "../../dev/project.ts";
import { BUGS, findBug } from "./bugs/bugs.ts";
import { hunt } from "./bugs/hunt.ts";
import { judge, type Verdict } from "./checker/check.ts";
import type { Entry } from "./history/entries.ts";
import { readHistory } from "./history/read-history.ts";
import { Recorder } from "./history/recorder.ts";
import { computeFigures, type Figures, formatReport } from "./report/report.ts";
import { LineTap } from "./run/line-tap.ts";
import { type BugOptions, type ChaosOptions, commandOf, helpText, parseOptions } from "./run/options.ts";
import { UsageError } from "../../commands/arguments.ts";
import { PRESENCE_MS } from "./run/finish.ts";
import { runChaos } from "./run/run-chaos.ts";
import { schedule } from "./world/schedule.ts";
import type { ChaosWorld } from "./world/types.ts";
import { startWorld } from "./world/world.ts";

/** A run too short for it does not wait until presence must be true. */
const PRESENCE_FROM_MINUTES = 1;

process.exit(await main());

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === "number") return options;
  try {
    if ("check" in options) return await tell(await readHistory(options.check), options.check, options.jsonFile);
    const name = "bug" in options ? `bug-${options.bug}` : `seed-${options.seed}`;
    const file = options.out ?? join(PROJECT_DIR, `.data/chaos/${name}.jsonl`);
    await mkdir(dirname(file), { recursive: true });
    const { entries, complaints } = await withWorld(file, (running) =>
      "bug" in options ? lookForBug(options, running) : run(options, running),
    );
    for (const complaint of complaints) console.error(complaint);
    const code = await tell(entries, file, options.jsonFile);
    return complaints.length > 0 ? 1 : code;
  } catch (error) {
    console.error(`The run could not be done: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

function readOptions(): Exclude<ReturnType<typeof parseOptions>, "help"> | number {
  const bugs = BUGS.map(({ name }) => name);
  try {
    const options = parseOptions(process.argv.slice(2), bugs);
    if (options !== "help") return options;
    console.log(helpText(bugs));
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nSee npm run chaos -- --help`);
    return 2;
  }
}

/** A world that is there to be broken, and what a run in it needs. */
interface Running {
  world: ChaosWorld;
  lines: LineTap;
  file: string;
  progress: (line: string) => void;
}

interface Outcome {
  entries: readonly Entry[];
  complaints: string[];
}

async function withWorld(file: string, work: (running: Running) => Promise<Outcome>): Promise<Outcome> {
  console.log("starting the stack, with a proxy at every hop");
  const lines = new LineTap();
  const log = createWriteStream(logOf(file), { mode: 0o600 });
  const onLine = (part: string, line: string) => {
    log.write(`${new Date().toISOString()} ${part}: ${line}\n`);
    lines.onLine(part, line);
  };
  const world = await startWorld({ seed: 1, onLine });
  const startedAt = performance.now();
  const progress = (line: string) =>
    console.log(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(5)} s  ${line}`);
  try {
    return await work({ world, lines, file, progress });
  } catch (error) {
    progress(`it broke off: ${error instanceof Error ? error.message : String(error)}`); // stopping may take its time
    throw error;
  } finally {
    await world.stop();
    log.end();
  }
}

async function run(options: ChaosOptions, { world, lines, file, progress }: Running): Promise<Outcome> {
  const { seed, minutes, clients, rate, faults } = options;
  const command = commandOf(options);
  progress(command);
  const recorder = new Recorder(file);
  const rooms = Array.from({ length: options.rooms }, (_, at) => `chaos-${at + 1}`);
  const { missing, troubles, stopped } = await runChaos(world, recorder, lines, {
    seed,
    command,
    schedule: schedule(seed, minutes, { faults, rooms }),
    cast: { clients, rooms, client: options.client },
    traffic: { rate },
    ...(minutes >= PRESENCE_FROM_MINUTES && { presenceAfterMs: PRESENCE_MS }),
    progress,
  });
  const complaints = [
    ...troubles.map((trouble) => `A fault failed: ${trouble}`),
    ...missing.map((what) => `Not settled after healing: ${what}`),
    ...stopped.map((who) => `A client stopped for good: ${who}`),
  ];
  return { entries: recorder.entries, complaints };
}

/** Runs the scenario in which a bug must be found, with the bug. */
async function lookForBug({ bug: name }: BugOptions, { world, lines, file, progress }: Running): Promise<Outcome> {
  const bug = findBug(name);
  progress(`${bug.about}: looking for what that breaks`);
  const { entries, broken } = await hunt(world, lines, { scenario: bug.scenario, bug, file });
  const isFound = broken.some((each) => bug.breaks.includes(each));
  return { entries, complaints: isFound ? [] : [`The bug was not found: expected ${bug.breaks.join(", or ")}`] };
}

/** What the Worker and the rooms wrote goes beside the history. */
function logOf(file: string): string {
  return file.replace(/\.jsonl$/, "") + ".log";
}

/** Judges a history and says what came of it. */
async function tell(entries: readonly Entry[], file: string, jsonFile: string | undefined): Promise<number> {
  const figures = computeFigures(entries);
  const verdicts = judge(entries);
  console.log(`\n${formatReport(figures, verdicts, file)}`);
  if (jsonFile !== undefined) await writeJson(jsonFile, figures, verdicts);
  return verdicts.every(({ violations }) => violations.length === 0) ? 0 : 1;
}

async function writeJson(file: string, figures: Figures, verdicts: readonly Verdict[]): Promise<void> {
  await writeFile(file, `${JSON.stringify({ figures, invariants: verdicts }, undefined, 2)}\n`);
}
