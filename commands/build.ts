import { spawn } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build as bundle } from "esbuild";
import { findSetting } from "../dev/local-settings.ts";
import { PROJECT_DIR } from "../dev/project.ts";
import { SETTINGS } from "../domain/config.ts";
import { buildAssets } from "./build/assets.ts";
import { buildClient } from "./build/client.ts";

const HELP = `Usage: npm run build [-- OPTIONS]

Writes what is deployed, and checks that it can be: the page, the docs and their headers (dist/assets), the Worker's
bundle (dist/worker), the rooms' bundle (dist/rooms) and the package that apps install (dist/client). Fails when the
Worker has more than 120 kB gzipped, or the page more than 100 kB of script.

  --assets        only the page, the docs and their headers
  --client        only the package that apps install, to be published with npm publish dist/client
  --out DIR       where those go (default dist/assets)
  --connect URL   another origin the page may talk to; may be given again
  --clerk URL     the origin of Clerk's script, which the page may load (default: that of CLERK_JWT_ISSUER, where this
                  shell has CLERK_PUBLISHABLE_KEY too, as npm run deploy gives them)
  --help          this text`;

const WORKER_LIMIT_BYTES = 120_000;
const PAGE_LIMIT_BYTES = 100_000;

await main();

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  if (options.help === true) return console.log(HELP);
  try {
    if (options.client === true) return await buildPackage();
    const { count, scripts } = await buildAssets(resolve(PROJECT_DIR, options.out), {
      connect: options.connect,
      clerk: options.clerk,
    });
    console.log(`assets  ${String(count).padStart(7)} files  ${options.out}`);
    console.log(
      `page    ${String(scripts.chat).padStart(7)} bytes gzipped of script at /, ${scripts.status} at /status`,
    );
    if (scripts.chat > PAGE_LIMIT_BYTES)
      throw new Error(
        `the page has ${scripts.chat} bytes of script, more than ${PAGE_LIMIT_BYTES}: look for a new import`,
      );
    if (options.assets === true) return;
    const size = await buildWorker();
    await buildRooms();
    await buildPackage();
    if (size > WORKER_LIMIT_BYTES)
      throw new Error(`the Worker has ${size} bytes gzipped, more than ${WORKER_LIMIT_BYTES}: look for a new import`);
  } catch (error) {
    console.error(`The build failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        assets: { type: "boolean" },
        client: { type: "boolean" },
        out: { type: "string", default: "dist/assets" },
        connect: { type: "string", multiple: true, default: [] },
        clerk: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    const clerk = values.clerk ?? clerkOf(process.env);
    for (const [name, origins] of Object.entries({
      connect: values.connect,
      clerk: clerk === undefined ? [] : [clerk],
    })) {
      const wrong = origins.find((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin);
      if (wrong !== undefined) throw new Error(`Cannot take --${name} "${wrong}": must be an origin`);
    }
    return { ...values, clerk };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}; see npm run build -- --help`);
    process.exitCode = 2;
    return undefined;
  }
}

/** The page signs in with Clerk only where it is told Clerk's publishable key. */
function clerkOf(variables: NodeJS.ProcessEnv): string | undefined {
  const issuer = findSetting(variables, "CLERK_JWT_ISSUER");
  if (issuer === undefined || findSetting(variables, "CLERK_PUBLISHABLE_KEY") === undefined) return undefined;
  const address = SETTINGS.CLERK_JWT_ISSUER.read(issuer);
  return URL.canParse(address) ? new URL(address).origin : undefined;
}

/** Wrangler makes the bundle that it would deploy, and checks wrangler.toml on the way. */
async function buildWorker(): Promise<number> {
  const wrangler = join(PROJECT_DIR, "node_modules/wrangler/bin/wrangler.js");
  await run([wrangler, "deploy", "--dry-run", "--minify", "--outdir", "dist/worker"]);
  return await report("worker", "dist/worker/index.js");
}

/** PartyKit has no dry run, so the rooms are bundled as it does it: its own conditions, the runtime's modules left out. */
async function buildRooms(): Promise<void> {
  await bundle({
    absWorkingDir: PROJECT_DIR,
    entryPoints: ["party/index.ts", "party/people.ts"],
    outdir: "dist/rooms",
    bundle: true,
    minify: true,
    format: "esm",
    target: "esnext",
    conditions: ["partykit", "workerd", "worker"],
    external: ["node:*", "cloudflare:*"],
    logLevel: "error",
  });
  await report("rooms", "dist/rooms/index.js");
  await report("people", "dist/rooms/people.js");
}

async function buildPackage(): Promise<void> {
  await buildClient(join(PROJECT_DIR, "dist/client"));
  for (const part of ["index", "http", "storage", "react"]) await report(part, `dist/client/${part}.js`);
}

async function report(name: string, file: string): Promise<number> {
  const path = join(PROJECT_DIR, file);
  const [{ size }, code] = await Promise.all([stat(path), readFile(path)]);
  const gzipped = gzipSync(code, { level: 9 }).length;
  console.log(`${name.padEnd(7)} ${String(gzipped).padStart(7)} bytes gzipped (${size} plain)  ${file}`);
  return gzipped;
}

/** Runs a Node program silently, and shows what it wrote only when it fails. */
async function run(args: readonly string[]): Promise<void> {
  const quiet = { WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", WRANGLER_WRITE_LOGS: "false" };
  const child = spawn(process.execPath, args, { cwd: PROJECT_DIR, env: { ...process.env, ...quiet } });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code === 0) return;
  console.error(Buffer.concat(output).toString("utf8").trimEnd());
  throw new Error(`${args[1]} ended with code ${code}`);
}
