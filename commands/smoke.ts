import { writeFileSync } from "node:fs";
import { HEADER_CHECKS } from "./smoke/checks/headers.ts";
import { REFUSAL_CHECKS } from "./smoke/checks/refusals.ts";
import { ROOM_CHECKS } from "./smoke/checks/rooms.ts";
import { SERVICE_CHECKS } from "./smoke/checks/service.ts";
import { TOKEN_CHECKS } from "./smoke/checks/tokens.ts";
import { HELP, UsageError, parseOptions, type SmokeOptions } from "./smoke/options.ts";
import { count, formatResult, formatSummary, toJson, toJunit } from "./smoke/report.ts";
import { runChecks } from "./smoke/runner.ts";

const CHECKS = [...SERVICE_CHECKS, ...TOKEN_CHECKS, ...HEADER_CHECKS, ...REFUSAL_CHECKS, ...ROOM_CHECKS];

async function main(): Promise<number> {
  const options = readOptions();
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

function readOptions(): SmokeOptions | number {
  try {
    const options = parseOptions(process.argv.slice(2), process.env);
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
