import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { neon, neonConfig } from "@neondatabase/serverless";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { listen } from "../../dev/listen.ts";
import type { StackFile } from "../../dev/stack-file.ts";
import { freePort } from "../../dev/free-port.ts";
import { runCommand } from "../support/run-command.ts";
import { type Stack, startStack } from "../support/stack.ts";

const PROJECT_DIR = join(import.meta.dirname, "../..");
// Without a program that may be missing, only Linux tells about other processes.
const notLinux = [process.platform !== "linux", "needs Linux"] as const;
const dev = (args: string[], environment?: Record<string, string>) => runCommand("dev/cli.ts", args, environment);

/** `npm run dev` on a data folder of its own, as a user runs it. */
class DevCommand {
  readonly dataDir: string;
  port = 0;
  partyPort = 0;
  output = "";
  process: ChildProcess | undefined;
  constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  async start(): Promise<StackFile> {
    [this.port, this.partyPort] = [this.port || (await freePort()), this.partyPort || (await freePort())];
    const args = ["--port", String(this.port), "--party-port", String(this.partyPort), "--data", this.dataDir];
    const env = { PATH: process.env["PATH"], HOME: process.env["HOME"] };
    this.output = "";
    this.process = spawn(process.execPath, [join(PROJECT_DIR, "dev/cli.ts"), ...args], { cwd: PROJECT_DIR, env });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    await vi.waitUntil(() => /^(Ready|Cannot|Port|The) /m.test(this.output), { timeout: 60_000 });
    if (!/^Ready /m.test(this.output)) throw new Error(this.output);
    return await this.stackFile();
  }

  async stackFile(): Promise<StackFile> {
    return JSON.parse(await readFile(join(this.dataDir, "stack.json"), "utf8")) as StackFile; // the command wrote it
  }

  /** The process groups that all of the stack's programs run in. */
  async groups(): Promise<number[]> {
    const lock = JSON.parse(await readFile(join(this.dataDir, "lock.json"), "utf8")) as { children: { pid: number }[] };
    return lock.children.map(({ pid }) => pid);
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.process?.kill(signal);
    return await this.exitCode();
  }

  async exitCode(): Promise<number | null> {
    if (this.process !== undefined && this.process.exitCode === null && this.process.signalCode === null)
      await once(this.process, "exit");
    return this.process?.exitCode ?? null;
  }
}

/** Every process of this machine with its command line, as Linux tells it. */
async function listProcesses(): Promise<{ pid: number; args: string }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  return await Promise.all(
    pids.map(async (pid) => ({
      pid,
      args: (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " "),
    })),
  );
}

async function exchange({ apiUrl }: StackFile, session: string): Promise<Response> {
  return await fetch(`${apiUrl}/v1/token`, { method: "POST", headers: { authorization: `Bearer ${session}` } });
}

/** Waits until no process is left in any of the groups. */
async function untilGone(groups: number[]): Promise<void> {
  expect(groups).toHaveLength(2);
  await expect.poll(() => groups.filter(hasMembers), { timeout: 10_000 }).toEqual([]);
}

function hasMembers(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

describe("npm run dev", () => {
  let command: DevCommand;
  let stack: StackFile;
  let startedAt: number;
  beforeAll(async () => {
    command = new DevCommand(await mkdtemp(join(tmpdir(), "parley-dev-")));
    startedAt = Date.now();
    stack = await command.start();
  });
  afterAll(async () => {
    await command.end("SIGKILL");
    await rm(command.dataDir, { recursive: true, force: true });
  });

  it("is ready within 30 s, shows progress, and ends with one ready line that has the addresses", () => {
    expect(Date.now() - startedAt).toBeLessThan(30_000);
    const lines = command.output.trim().split("\n");
    expect(lines.slice(0, -1).every((line) => line.startsWith("Starting "))).toBe(true);
    expect(lines.at(-1)).toMatch(/^Ready in [\d.]+ s: open http:\/\/127\.0\.0\.1:\d+\//);
    for (const address of [stack.apiUrl, stack.wsUrl, stack.partyUrl, stack.issuer])
      expect(lines.at(-1)).toContain(address);
  });

  it("serves the page, the docs, the Worker and the rooms", async () => {
    const status = async (url: string) => (await fetch(url, { redirect: "manual" })).status;
    expect(await status(`${stack.apiUrl}/`)).toBe(200);
    expect(await status(`${stack.apiUrl}/api/chats/docs`)).toBe(200);
    expect(await status(`${stack.apiUrl}/api/chats/openapi.json`)).toBe(200);
    expect(await status(`${stack.apiUrl}/healthz`)).toBe(200);
    expect(await status(`${stack.partyUrl}/healthz`)).toBe(200);
    const health = await fetch(`${stack.apiUrl}/api/chat/health`);
    expect(await health.json()).toMatchObject({ status: "healthy" });
  });

  it("tells dev:env where it is, and session signs in there", async () => {
    const env = await runCommand("commands/dev-env.ts", ["--data", command.dataDir]);
    expect(JSON.parse(env.stdout)).toMatchObject({ apiUrl: stack.apiUrl, apiKey: stack.apiKey });
    const { stdout } = await runCommand("commands/session.ts", ["--user", "alice", "--data", command.dataDir]);
    const reply = await exchange(stack, stdout.trim());
    expect([reply.status, await reply.json()]).toEqual([200, expect.objectContaining({ userId: "alice" })]);
  });

  it("has a Postgres that any client reaches, and that only the password opens", async () => {
    const client = new pg.Client({ connectionString: stack.databaseUrl });
    await client.connect();
    const { rows } = await client.query<{ id: string }>("select id from api_keys");
    await client.end();
    expect(rows).toHaveLength(1);
    neonConfig.fetchEndpoint = stack.neonFetchEndpoint;
    const stranger = neon("postgresql://postgres:guess@127.0.0.1/postgres");
    await expect(stranger`select 1`).rejects.toMatchObject({ code: "28P01" });
  });

  it("keeps its files and its keys to their owner", async () => {
    for (const file of ["stack.json", "worker.env", "partykit.json", "api-key", "chat-jwt-secret"])
      expect((await stat(join(command.dataDir, file))).mode & 0o777).toBe(0o600);
  });

  it("keeps its secrets out of the command lines of its processes", async ({ skip }) => {
    skip(...notLinux);
    const all = (await listProcesses()).map(({ args }) => args).join("\n");
    expect(all).toContain(command.dataDir);
    for (const secret of [stack.chatJwtSecret, stack.apiKey, stack.redisRestToken, stack.databaseUrl])
      expect(all).not.toContain(secret);
  });

  it("O01 writes no token and no secret to its logs", async () => {
    const { stdout: session } = await runCommand("commands/session.ts", ["--user", "eve", "--data", command.dataDir]);
    await exchange(stack, session.trim());
    await fetch(`${stack.apiUrl}/v1/token?token=${session.trim()}`);
    await fetch(`${stack.partyUrl}/parties/main/lobby?token=${session.trim()}`);
    for (const log of ["worker.log", "rooms.log"]) {
      const text = await readFile(join(command.dataDir, "logs", log), "utf8");
      for (const secret of [session.trim(), stack.chatJwtSecret, stack.apiKey, stack.redisRestToken, stack.databaseUrl])
        expect(text).not.toContain(secret);
    }
  });

  it("listens on the loopback address only", async ({ skip }) => {
    skip(...notLinux);
    const tables = await Promise.all(["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "utf8")));
    const sockets = tables.flatMap((table) => table.split("\n").map((line) => line.trim().split(/\s+/)));
    const listening = sockets.filter(([, , , state]) => state === "0A").map(([, local = ""]) => local);
    const at = (port: number) => listening.filter((local) => Number.parseInt(local.split(":")[1] ?? "", 16) === port);
    expect([...at(command.port), ...at(command.partyPort)].map((local) => local.split(":")[0])).toEqual([
      "0100007F",
      "0100007F",
    ]);
  });

  it("refuses a second start on the same data, and ports that are in use, in one line each", async () => {
    const free = ["--port", String(await freePort()), "--party-port", String(await freePort())];
    const again = await dev([...free, "--data", command.dataDir]);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(
      /^A stack already runs on .* \(process \d+\): stop it, or start another with --data DIR\n$/,
    );
    const taken = await dev(["--port", String(command.port), "--data", join(command.dataDir, "other")]);
    expect(taken).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Port \d+ is in use: .*--port N\n$/) });
  });

  it("ends everything on Ctrl-C, and leaves no stack file", async () => {
    const groups = await command.groups();
    expect(await command.end("SIGINT")).toBe(0);
    await untilGone(groups);
    await expect(access(join(command.dataDir, "stack.json"))).rejects.toMatchObject({ code: "ENOENT" });
    await listen(createServer().unref(), command.port);
  });

  it("goes on with the same data, keys and addresses at the next start", async () => {
    const again = new DevCommand(command.dataDir);
    const next = await again.start();
    const { apiKey, chatJwtSecret } = stack;
    expect(next).toMatchObject({ apiKey, chatJwtSecret });
    const sql = neon(next.databaseUrl);
    neonConfig.fetchEndpoint = next.neonFetchEndpoint;
    expect(await sql`select id from users where id = 'alice'`).toEqual([{ id: "alice" }]);
    command = again;
  });

  it("leaves nothing behind when it is killed outright, and starts again after that", async () => {
    const groups = await command.groups();
    await command.end("SIGKILL");
    await untilGone(groups);
    const answers = () => fetch(stack.redisRestUrl).then(Boolean, () => false);
    await expect.poll(answers).toBe(false);
    await command.start();
  });

  it("ends, with one line that says why, when a part of it dies", async ({ skip }) => {
    skip(...notLinux);
    const groups = await command.groups();
    const all = await listProcesses();
    const runtime = all.find(({ args }) => args.includes(`entry=127.0.0.1:${command.partyPort} `));
    process.kill(runtime?.pid ?? 0, "SIGKILL");
    expect(await command.exitCode()).toBe(1);
    expect(command.output.trim().split("\n").at(-1)).toMatch(/^The rooms stopped listening at http.*: start again/);
    await untilGone(groups);
  });
});

describe("npm run dev, before it starts", () => {
  it("prints help", async () => {
    expect(await dev(["--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("--party-port N") });
  });

  it.each([
    [["--nope"]],
    [["surplus"]],
    [["--port", "0"]],
    [["--port", "70000"]],
    [["--port", "8787", "--party-port", "8787"]],
  ])("refuses %j with exit code 2", async (args) => {
    const { code, stdout, stderr } = await dev(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/see npm run dev -- --help\n$/);
  });

  it("names the settings of the environment that it cannot start with, and shows no value", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "parley-dev-"));
    const args = ["--port", String(await freePort()), "--party-port", String(await freePort()), "--data", dataDir];
    const { code, stderr } = await dev([...args, "--memory"], {
      JWT_SECRET: "short-canary",
      TOKEN_TTL_SECONDS: "soon",
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^Cannot start with the settings in your environment: CHAT_JWT_SECRET .*; TOKEN_TTL_SECONDS .*\n$/,
    );
    expect(stderr).not.toContain("short-canary");
    await rm(dataDir, { recursive: true });
  });
});

describe("two stacks side by side", () => {
  let stacks: Stack[];
  beforeAll(async () => {
    stacks = await Promise.all([startStack(), startStack({ TOKEN_TTL_SECONDS: "600" })]);
  });
  afterAll(() => Promise.all(stacks.map((stack) => stack.stop())));

  it("know nothing of each other's users and keys, and each has its own settings", async () => {
    const [first, second] = stacks as [Stack, Stack];
    const session = await second.session("bob");
    expect((await exchange(first, session)).status).toBe(401);
    const reply = await exchange(second, session);
    expect([reply.status, await reply.json()]).toEqual([200, expect.objectContaining({ expiresIn: 600 })]);
  });
});
