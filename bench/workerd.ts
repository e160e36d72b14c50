import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { processCpuSeconds } from "./process-cpu.ts";
import { freePort } from "../dev/free-port.ts";
import { PROJECT_DIR } from "../dev/project.ts";

/** A server in a process of its own, whose CPU can be read. */
export interface BenchServer {
  url: string;
  /** Seconds of CPU, user and system, that the process has used so far. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/** Bundles a Worker entry the way it is deployed (one minified ES module). */
export async function bundleWorker(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    alias: await readAliases(),
    write: false,
    logLevel: "error",
  });
  return result.outputFiles[0]?.text ?? "";
}

/** What `wrangler.toml` puts in the place of packages. */
async function readAliases(): Promise<Record<string, string>> {
  const text = await readFile(join(PROJECT_DIR, "wrangler.toml"), "utf8");
  const section = /^\[alias\]\n((?:(?!\[).*\n)*)/m.exec(text)?.[1] ?? "";
  const pairs = [...section.matchAll(/^"([^"]+)" = "([^"]+)"$/gm)];
  return Object.fromEntries(pairs.map(([, name = "", path = ""]) => [name, join(PROJECT_DIR, path)]));
}

/** What `wrangler.toml` asks of the runtime. */
async function readCompatibility(): Promise<{ date: string; flags: string }> {
  const text = await readFile(join(PROJECT_DIR, "wrangler.toml"), "utf8");
  const find = (pattern: RegExp) => pattern.exec(text)?.[1] ?? "";
  return { date: find(/^compatibility_date = "(.+)"$/m), flags: find(/^compatibility_flags = \[(.*)\]$/m) };
}

/** Starts a bundle under plain workerd: no development server around it. */
export async function startWorkerd(code: string, bindings: Record<string, string> = {}): Promise<BenchServer> {
  const folder = await mkdtemp(join(tmpdir(), "parley-bench-"));
  const port = await freePort();
  await writeFile(join(folder, "worker.js"), code);
  await writeFile(join(folder, "config.capnp"), config(port, bindings, await readCompatibility()));
  return serveFolder(folder, port);
}

/** Starts plain workerd with the `config.capnp` of a folder, which is removed when it stops. */
export async function serveFolder(folder: string, port: number): Promise<BenchServer> {
  const child = spawn(
    workerdPath(),
    [
      "serve",
      join(folder, "config.capnp"),
      ...(process.env.INSPECT === undefined ? [] : [`--inspector-addr=127.0.0.1:${process.env.INSPECT}`]),
    ],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  return serverOf(child, port, () => rm(folder, { recursive: true, force: true }));
}

/** Starts a script under the Node that runs this one. It must listen on the port in `PORT`. */
export async function startNode(script: string, variables: Record<string, string>): Promise<BenchServer> {
  const port = await freePort();
  const child = spawn(process.execPath, [script], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...variables, PORT: String(port), NODE_ENV: "production" },
  });
  return serverOf(child, port, async () => {});
}

async function serverOf(child: ChildProcess, port: number, clean: () => Promise<void>): Promise<BenchServer> {
  const url = `http://127.0.0.1:${port}`;
  const server: BenchServer = {
    url,
    cpuSeconds: () => processCpuSeconds(child.pid ?? 0),
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
      await clean();
    },
  };
  await untilAnswers(url, child);
  return server;
}

/** Resolves once something answers at the address. @param child Whoever should; waiting ends with it. */
export async function untilAnswers(url: string, child?: Pick<ChildProcess, "exitCode">): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    if (child !== undefined && child.exitCode !== null)
      throw new Error(`The server ended with code ${child.exitCode} before it answered`);
    const answered = await fetch(url).then(
      (response) => response.body?.cancel().then(() => true) ?? true,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("The server did not answer within 20 s");
}

function workerdPath(): string {
  const require = createRequire(import.meta.url);
  const exported: { default: string } | string = require("workerd");
  return typeof exported === "string" ? exported : exported.default;
}

function config(
  port: number,
  bindings: Record<string, string>,
  { date, flags }: { date: string; flags: string },
): string {
  const lines = Object.entries(bindings).map(
    ([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "${date}",
  compatibilityFlags = [${flags}],
  bindings = [${lines.join(", ")}],
);
`;
}
