import { existsSync, watch } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { findSetting } from "./local-settings.ts";
import { PROJECT_DIR } from "./project.ts";
import { StackError } from "./stack-error.ts";
import { type RunningStack, type StackOptions, startStack } from "./stack.ts";

const HELP = `Usage: npm run dev [-- OPTIONS]          (npm run start:dev is the same with --watch)

Runs all of Parley on this machine, on the loopback address: Worker, rooms, Postgres, Redis, identity provider, page.
Ctrl-C stops all of it; the next start goes on with the same data.

  --port N         the Worker's and the page's port (default: PORT, or 8787)
  --party-port N   the rooms' port (default 1999)
  --data DIR       where the data is kept (default .data)
  --memory         keep nothing
  --watch          publish the page anew when a file in web/ changes, and show what Worker and rooms write; code is
                   loaded anew on a change with or without it
  --help           this text

Every setting in the environment, or in a file .env here, wins over the local one: CLERK_JWT_ISSUER, DATABASE_URL,
REDIS_URL and so on. npm run doctor lists them.`;

const STOP_TIME_LIMIT_MS = 15_000;
const REBUILD_DELAY_MS = 100;

await main();

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  const startedAt = Date.now();
  const interrupted = whenInterrupted();
  const starting = startStack(options);
  starting.catch(() => undefined); // awaited below, or left behind by an interrupt
  try {
    const stack = await Promise.race([starting, interrupted]);
    if (stack === "interrupted") return await leave(starting, 130);
    console.log(readyLine(stack, Date.now() - startedAt));
    if (options.watch) watchPage(stack);
    const end = await Promise.race([stack.broken, interrupted]);
    if (end instanceof StackError) console.error(end.message);
    else console.log("Stopping");
    return await leave(starting, end instanceof StackError ? 1 : 0);
  } catch (error) {
    console.error(error instanceof StackError ? error.message : error);
    process.exitCode = 1;
    return await leave(starting, 1);
  }
}

/** Stops what was started and ends. Anything that hangs is ended by its keeper when this process is gone. */
async function leave(starting: Promise<RunningStack>, exitCode: number): Promise<void> {
  const late = setTimeout(() => process.exit(exitCode), STOP_TIME_LIMIT_MS);
  late.unref();
  await starting.then((stack) => stack.stop()).catch(() => undefined); // a failed start has stopped itself
  process.exit(exitCode);
}

/** Resolves at the first signal, or when npm is gone that started this; a second Ctrl-C does not wait for anything. */
async function whenInterrupted(): Promise<"interrupted"> {
  return await new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => {
        process.on("SIGINT", () => process.exit(130));
        resolve("interrupted");
      });
    const parent = process.ppid;
    if (process.env["npm_lifecycle_event"] === undefined) return;
    const check = setInterval(() => {
      if (process.ppid !== parent) resolve("interrupted");
    }, 1_000);
    check.unref();
  });
}

function readyLine({ apiUrl, wsUrl, partyUrl, issuer }: RunningStack, tookMs: number): string {
  const seconds = (tookMs / 1_000).toFixed(1);
  return `Ready in ${seconds} s: open ${apiUrl}/ (docs ${apiUrl}/api/chats/docs, sockets ${wsUrl}, rooms ${partyUrl}, sign-in ${issuer}); Ctrl-C stops it`;
}

function watchPage(stack: RunningStack): void {
  const dir = join(PROJECT_DIR, "web");
  let timer: NodeJS.Timeout | undefined;
  const rebuild = async () => {
    await stack.rebuildPage();
    console.log("The page is published anew");
  };
  watch(dir, { recursive: true }, () => {
    clearTimeout(timer); // an editor's save is several events
    timer = setTimeout(() => void rebuild().catch((error: unknown) => console.error(error)), REBUILD_DELAY_MS);
  });
  console.log(`Watching ${relative(PROJECT_DIR, dir)}/ for the page, and functions/, party/ and what they import`);
}

function readOptions(): (StackOptions & { watch: boolean }) | undefined {
  if (existsSync(join(PROJECT_DIR, ".env"))) process.loadEnvFile(join(PROJECT_DIR, ".env"));
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: findSetting(process.env, "PORT") ?? "8787" },
        "party-port": { type: "string", default: "1999" },
        data: { type: "string", default: ".data" },
        memory: { type: "boolean", default: false },
        watch: { type: "boolean", default: false },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) {
      console.log(HELP);
      return undefined;
    }
    const port = parsePort("--port", values.port);
    const partyPort = parsePort("--party-port", values["party-port"]);
    if (port === partyPort) throw new Error("--port and --party-port must differ");
    return {
      port,
      partyPort,
      dataDir: values.data,
      memory: values.memory,
      watch: values.watch,
      environment: process.env,
      progress: (step) => console.log(`Starting ${step} …`),
      ...(values.watch && { onLine: (part, line) => console.log(`[${part}] ${line}`) }),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}; see npm run dev -- --help`);
    process.exitCode = 2;
    return undefined;
  }
}

function parsePort(option: string, raw: string): number {
  const port = Number(raw);
  if (/^\d{1,5}$/.test(raw) && port >= 1 && port <= 65_535) return port;
  throw new Error(`Cannot read ${option} "${raw}": must be a port, 1 to 65535`);
}
