import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChild } from "../../dev/child.ts";
import { findProcess } from "../../dev/process-identity.ts";

// Starts a child of its own, as the programs of the stack do, and tells both pids.
const FAMILY = `
  const { spawn } = require("node:child_process");
  const grandchild = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
  console.log("pids " + process.pid + " " + grandchild.pid);
  setInterval(() => {}, 1000);`;
const STUBBORN = `process.on("SIGTERM", () => {}); ${FAMILY}`;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "parley-child-"));
});
afterAll(() => rm(dir, { recursive: true }));

/** Starts a program and waits for the pids it tells. */
async function startFamily(script: string) {
  let told = (_pids: number[]) => {};
  const pids = new Promise<number[]>((resolve) => (told = resolve));
  const child = await startChild({
    args: ["-e", script],
    environment: {},
    logFile: join(dir, `${crypto.randomUUID()}.log`),
    onLine: (line) => {
      if (line.startsWith("pids ")) told(line.slice(5).split(" ").map(Number));
    },
  });
  return { child, pids: await pids };
}

async function untilGone(pids: number[]): Promise<void> {
  await expect
    .poll(async () => (await Promise.all(pids.map(findProcess))).filter((found) => found !== undefined), {
      timeout: 10_000,
    })
    .toEqual([]);
}

describe("a child of the stack", () => {
  it("ends with everything it started when it is stopped", async () => {
    const { child, pids } = await startFamily(FAMILY);
    await child.stop();
    await untilGone([...pids, child.pid]);
  });

  it("ends even when it does not listen to SIGTERM", async () => {
    const { child, pids } = await startFamily(STUBBORN);
    await child.stop();
    await untilGone([...pids, child.pid]);
  });

  it("tells its exit code and its last lines, keeps them in the log, and leaves nobody behind", async () => {
    const logFile = join(dir, "failing.log");
    const script = `${FAMILY} setTimeout(() => { console.error("no disk left"); process.exit(7); }, 200)`;
    let pids: number[] = [];
    const child = await startChild({
      args: ["-e", script],
      environment: {},
      logFile,
      onLine: (line) => {
        if (line.startsWith("pids ")) pids = line.slice(5).split(" ").map(Number);
      },
    });
    const { code, lastLines } = await child.ended;
    expect([code, lastLines.at(-1)]).toEqual([7, "no disk left"]);
    await expect.poll(() => readFile(logFile, "utf8")).toContain("no disk left");
    expect((await stat(logFile)).mode & 0o777).toBe(0o600);
    await untilGone(pids);
  });

  it("ends when the process that started it is killed outright", async () => {
    const module = JSON.stringify(join(import.meta.dirname, "../../dev/child.ts"));
    const logFile = JSON.stringify(join(dir, "orphan.log"));
    const parent = spawn(process.execPath, [
      "--input-type=module",
      "-e",
      `import { startChild } from ${module};
       await startChild({ args: ["-e", ${JSON.stringify(FAMILY)}], environment: {}, logFile: ${logFile}, onLine: console.log });`,
    ]);
    const pids = await readPids(parent);
    parent.kill("SIGKILL");
    await untilGone(pids);
  });
});

async function readPids(parent: ChildProcess): Promise<number[]> {
  let text = "";
  parent.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  parent.stderr?.pipe(process.stderr);
  await expect.poll(() => text, { timeout: 10_000 }).toMatch(/pids \d+ \d+\n/);
  return (/pids (\d+) (\d+)/.exec(text) ?? []).slice(1).map(Number);
}

it("a process is told from a later one with the same number by when it started", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  const pid = child.pid ?? 0;
  expect(await findProcess(pid)).toMatch(/\S/);
  expect(await findProcess(pid)).not.toBe(await findProcess(process.pid));
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await findProcess(pid)).toBeUndefined();
});
