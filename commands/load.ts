import { type AddressInfo, createServer } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listen } from "../dev/listen.ts";
import { type RunningStack, startStack } from "../dev/stack.ts";
import { formatFigures, isClean } from "./load/figures.ts";
import { HELP, type LoadOptions, parseOptions } from "./load/options.ts";
import { UsageError } from "./arguments.ts";
import { runLoad, type Target } from "./load/run-load.ts";

process.exit(await main());

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === "number") return options;
  let stack: OwnStack | undefined;
  try {
    if (options.url === undefined) stack = await startOwnStack();
    const figures = await runLoad(targetOf(options, stack), options, (line) => console.log(line));
    console.log(`\n${formatFigures(figures)}\n`);
    if (options.jsonFile !== undefined) await writeFile(options.jsonFile, `${JSON.stringify(figures, null, 2)}\n`);
    console.log(isClean(figures) ? "Nothing is missing, nothing is doubled" : "Not every promise was kept, see above");
    return isClean(figures) ? 0 : 1;
  } catch (error) {
    console.error(`The load test could not run: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await stack?.stop();
  }
}

function readOptions(): LoadOptions | number {
  try {
    const options = parseOptions(process.argv.slice(2), process.env);
    if (options !== "help") return options;
    console.log(HELP);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nSee npm run test:load -- --help`);
    return 2;
  }
}

function targetOf({ url, apiKey }: LoadOptions, stack: OwnStack | undefined): Target {
  if (stack !== undefined) return { url: new URL(stack.apiUrl), apiKey: stack.apiKey };
  if (url !== undefined && apiKey !== undefined) return { url, apiKey };
  throw new UsageError("There is nothing to load"); // the options give one or the other
}

type OwnStack = Pick<RunningStack, "apiUrl" | "apiKey" | "stop">;

/** A stack that keeps nothing, whose message limit is out of the way. */
async function startOwnStack(): Promise<OwnStack> {
  console.log("starting a stack on free ports");
  const dataDir = await mkdtemp(join(tmpdir(), "parley-load-"));
  const [port, partyPort] = [await findFreePort(), await findFreePort()];
  const environment = { RATE_LIMIT_MAX_MESSAGES: "100000" };
  const stack = await startStack({ port, partyPort, dataDir, memory: true, environment });
  const stop = async () => {
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { apiUrl: stack.apiUrl, apiKey: stack.apiKey, stop };
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await listen(server, 0);
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string
  await new Promise((resolve) => server.close(resolve));
  return port;
}
