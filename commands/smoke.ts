import { writeFileSync } from "node:fs";
import { CHECKS } from "./smoke/all-checks.ts";
import { HELP, parseOptions, type SmokeOptions } from "./smoke/options.ts";
import { UsageError } from "./arguments.ts";
import { count, formatResult, formatSummary, toJson, toJunit } from "./smoke/report.ts";
import { runChecks } from "./smoke/runner.ts";

async function main(): Promise<number> {
  const options = await readOptions();
  if (typeof options === "number") return options;
  console.log(`Parley smoke test of ${options.url.href}\n`);
  const startedAt = new Date();
  const startedMs = performance.now();
  const results = await runChecks(CHECKS, options, (result) => console.log(formatResult(result)));
  const ms = performance.now() - startedMs;
  console.log(`\n${formatSummary(results, ms)}`);
  try {
    if (options.junitFile !== undefined) writeFileSync(options.junitFile, toJunit(options.url, startedAt, ms, results));
    if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, toJson(options.url, startedAt, ms, results));
  } catch (error) {
    console.error(`Cannot write the report: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  return count(results, "failed") === 0 ? 0 : 1;
}

async function readOptions(): Promise<SmokeOptions | number> {
  try {
    const options = await parseOptions(process.argv.slice(2), process.env);
    if (options !== "help") return options;
    console.log(HELP);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nSee npm run smoke -- --help`);
    return 2;
  }
}

// Exits by itself: a server that leaves sockets half open must not keep a CI job waiting.
process.exit(await main());
