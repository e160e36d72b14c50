import { spawnSync } from "node:child_process";
import { parseCLI, startVitest, type Vitest } from "vitest/node";

const HELP = `Usage: npm test [-- OPTIONS] [FILTER...]

Builds both halves, then runs every test: those of single parts, then those that start the whole stack.
The last line is always "N passed, N failed", with ", N skipped" when tests were skipped (and why, above it).

  --integration   only the tests that start the whole stack
  --coverage      only the tests of single parts, with coverage (coverage/index.html)
  --no-build      use the build there is
  --help          this text

Everything else goes to vitest, for example: npm test -- test/domain -t "refuses"`;

interface Choice {
  integration: boolean;
  coverage: boolean;
  build: boolean;
  rest: string[];
}

export interface Tally {
  passed: number;
  failed: number;
  skipped: { name: string; reason: string | undefined }[];
}

if (import.meta.main) await main(process.argv.slice(2));

async function main(args: string[]): Promise<never> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    process.exit(0);
  }
  const choice = readChoice(args);
  const built = !choice.build || build();
  const tally = built ? await runTests(choice) : { passed: 0, failed: 1, skipped: [] };
  console.log(closingLines(tally).join("\n"));
  // Not left to the event loop: a server that a failing test forgot must not keep a CI job waiting.
  process.exit(tally.failed === 0 && tally.passed > 0 ? 0 : 1);
}

function readChoice(args: string[]): Choice {
  const own = new Set(["--integration", "--coverage", "--no-build"]);
  const has = (flag: string) => args.includes(flag);
  if (has("--integration") && has("--coverage")) {
    console.error("Cannot take --integration with --coverage: coverage is measured in the tests of single parts");
    process.exit(2);
  }
  return {
    integration: has("--integration"),
    coverage: has("--coverage"),
    build: !has("--no-build"),
    rest: args.filter((arg) => !own.has(arg)),
  };
}

function build(): boolean {
  const { status } = spawnSync(process.execPath, ["commands/build.ts"], { stdio: "inherit" });
  if (status !== 0) console.error("The build failed, so no test was run; see above");
  return status === 0;
}

async function runTests({ integration, coverage, rest }: Choice): Promise<Tally> {
  const { filter, options } = parseCLI(["vitest", "run", ...rest]);
  const project = integration ? ["stack"] : coverage ? ["unit"] : undefined;
  const vitest = await startVitest("test", filter, {
    ...options,
    watch: false,
    ...(project && { project }),
    ...(coverage && { coverage: { enabled: true } }),
  });
  const tally = countTests(vitest);
  await vitest.close();
  return tally;
}

/** Failed files, failed hooks and stray errors count as failures too: a test that never ran has not passed. */
function countTests(vitest: Vitest): Tally {
  const tally: Tally = { passed: 0, failed: vitest.state.getUnhandledErrors().length, skipped: [] };
  for (const module of vitest.state.getTestModules()) {
    let failedHere = 0;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === "passed") tally.passed += 1;
      else if (result.state === "skipped") tally.skipped.push({ name: test.fullName, reason: result.note });
      else failedHere += 1;
    }
    tally.failed += module.ok() ? failedHere : Math.max(failedHere, 1);
  }
  return tally;
}

/** What a run ends with. */
export function closingLines({ passed, failed, skipped }: Tally): string[] {
  const reasons = skipped.map(({ name, reason }) => `skipped: ${name}${reason === undefined ? "" : ` (${reason})`}`);
  const more = skipped.length === 0 ? "" : `, ${skipped.length} skipped`;
  return [...reasons, `${passed} passed, ${failed} failed${more}`];
}
