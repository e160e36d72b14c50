import { parseArgs } from "node:util";
import { findRunningStack } from "../dev/stack-file.ts";

const HELP = `Usage: npm run -s dev:env [-- OPTIONS]

Prints where the running local stack is, as JSON: apiUrl, wsUrl, partyUrl, issuer, apiKey, databaseUrl.
Exits with 1 when none is running.

  --data DIR   where that stack keeps its data (default .data)
  --help       this text`;

await main();

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  if (options.help === true) return console.log(HELP);
  const stack = await findRunningStack(options.data);
  if (stack === undefined) {
    console.error(`No stack is running on ${options.data}: start one with npm run dev, or name its folder with --data`);
    process.exitCode = 1;
    return;
  }
  const { apiUrl, wsUrl, partyUrl, issuer, apiKey, databaseUrl } = stack;
  console.log(JSON.stringify({ apiUrl, wsUrl, partyUrl, issuer, apiKey, databaseUrl }, undefined, 2));
}

function readOptions() {
  try {
    const options = { data: { type: "string", default: ".data" }, help: { type: "boolean", short: "h" } } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}; see npm run dev:env -- --help`);
    process.exitCode = 2;
    return undefined;
  }
}
