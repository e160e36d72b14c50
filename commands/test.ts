import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { startVitest, type Vitest } from "vitest/node";
import { CHROMIUM_HINT, findChromium } from "./chromium.ts";

const HELP = `Usage: npm test [-- OPTIONS] [FILTER...]

Builds both halves, then runs the tests: those of single parts, those that start the whole stack, and short chaos runs.
The last line is always "N passed, N failed". Above it stand the tests that were skipped, with the reason, and those
that failed.

  FILTER            only test files with this in their path
  -t PATTERN        only tests with this in their name
  -u                write the generated docs anew
  --integration     only the tests that start the whole stack
  --browser         only the page, in the Chromium that is installed
  --chaos           only short chaos runs, seeded bugs, and each fault by itself; the last is not among the others
  --coverage        only the tests of single parts, with coverage (coverage/index.html)
  --bail N          stop after N failures
  --no-build        use the build there is
  --help            this text

For everything else there is npx vitest.`;

export interface Tally {
  passed: number;
  failed: number;
  /** What failed, by file and name; what has neither is only counted. */
  failures: { name: string; reason: string | undefined }[];
  skipped: { name: string; reason: string | undefined }[];
}

if (import.meta.main) await main(process.argv.slice(2));

async function main(args: string[]): Promise<never> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    process.exit(0);
  }
  const options = readOptions(args);
  const built = options["no-build"] === true || build();
  const tally = built ? await runTests(options) : { passed: 0, failed: 1, failures: [], skipped: [] };
  console.log(closingLines(tally).join("\n"));
  // Not left to the event loop: a server that a failing test forgot must not keep a CI job waiting.
  process.exit(tally.failed === 0 && tally.passed > 0 ? 0 : 1);
}

function readOptions(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        integration: { type: "boolean" },
        browser: { type: "boolean" },
        chaos: { type: "boolean" },
        coverage: { type: "boolean" },
        "no-build": { type: "boolean" },
        testNamePattern: { type: "string", short: "t" },
        update: { type: "boolean", short: "u" },
        bail: { type: "string" },
      },
    });
    const kinds = ["integration", "browser", "chaos", "coverage"] as const;
    const asked = kinds.filter((kind) => values[kind] === true);
    if (asked.length > 1) throw new Error(`Cannot take ${asked.map((kind) => `--${kind}`).join(" with ")}: choose one`);
    if (values.bail !== undefined && !/^\d+$/.test(values.bail)) throw new Error("--bail takes a number");
    if (values.browser === true && findChromium() === undefined) throw new Error(CHROMIUM_HINT);
    return { ...values, filters: values.browser === true ? ["test/page/", ...positionals] : positionals };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}; see npm test -- --help`);
    return process.exit(2);
  }
}

function build(): boolean {
  const { status } = spawnSync(process.execPath, ["commands/build.ts"], { stdio: "inherit" });
  if (status !== 0) console.error("The build failed, so no test was run; see above");
  return status === 0;
}

async function runTests(options: ReturnType<typeof readOptions>): Promise<Tally> {
  const { coverage, testNamePattern, update, bail, filters } = options;
  const vitest = await startVitest("test", filters, {
    watch: false,
    project: projectsFor(options),
    ...(coverage === true && { coverage: { enabled: true } }),
    ...(testNamePattern !== undefined && { testNamePattern }),
    ...(update === true && { update: true }),
    ...(bail !== undefined && { bail: Number(bail) }),
  });
  const tally = countTests(vitest);
  await vitest.close();
  // What a pattern leaves out was not asked for.
  return testNamePattern === undefined ? tally : { ...tally, skipped: [] };
}

function projectsFor({ integration, browser, chaos, coverage }: ReturnType<typeof readOptions>): string[] {
  if (coverage === true) return ["unit"];
  if (chaos === true) return ["chaos", "faults"];
  if (integration === true || browser === true) return ["stack", "measuring"];
  return ["unit", "built", "stack", "chaos", "measuring"];
}

/** Failed files, failed hooks and stray errors count as failures too: a test that never ran has not passed. */
function countTests(vitest: Vitest): Tally {
  const tally: Tally = { passed: 0, failed: vitest.state.getUnhandledErrors().length, failures: [], skipped: [] };
  for (const module of vitest.state.getTestModules()) {
    let failedHere = 0;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === "passed") tally.passed += 1;
      else if (result.state === "skipped") tally.skipped.push({ name: test.fullName, reason: result.note });
      else {
        failedHere += 1;
        const reason = result.state === "failed" ? result.errors[0]?.message : undefined;
        tally.failures.push({ name: `${module.relativeModuleId} > ${test.fullName}`, reason });
      }
    }
    if (!module.ok() && failedHere === 0)
      tally.failures.push({ name: module.relativeModuleId, reason: module.errors()[0]?.message });
    tally.failed += module.ok() ? failedHere : Math.max(failedHere, 1);
  }
  return tally;
}

const REASON_MAX_CHARS = 600;

/** What a run ends with. */
export function closingLines({ passed, failed, failures, skipped }: Tally): string[] {
  const reasons = skipped.map(({ name, reason }) => `skipped: ${name}${reason === undefined ? "" : ` (${reason})`}`);
  const count = skipped.length === 0 ? [] : [`${skipped.length} skipped`];
  return [...reasons, ...count, ...failures.map(formatFailure), `${passed} passed, ${failed} failed`];
}

function formatFailure({ name, reason }: Tally["failures"][number]): string {
  const why = reason?.trim().replaceAll(/\s+/g, " ").slice(0, REASON_MAX_CHARS);
  return `failed: ${name}${why === undefined ? "" : `: ${why}`}`;
}
