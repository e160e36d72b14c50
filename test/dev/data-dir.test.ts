import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type DataDir, takeDataDir } from "../../dev/data-dir.ts";
import { findProcess } from "../../dev/process-identity.ts";
import { findRunningStack, removeStackFile, type StackFile, writeStackFile } from "../../dev/stack-file.ts";

let dir: string;
const taken: DataDir[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "parley-data-"));
});
afterEach(async () => {
  for (const dataDir of taken.splice(0)) await dataDir.release();
  await rm(dir, { recursive: true });
});
const take = async (memory = false) => {
  const dataDir = await takeDataDir(dir, { memory });
  taken.push(dataDir);
  return dataDir;
};

it("a data folder belongs to one stack at a time", async () => {
  const first = await take();
  await expect(take()).rejects.toThrow(`already runs on ${dir} (process ${process.pid})`);
  await first.release();
  await take();
});

it("only one of many that start at once gets the folder", async () => {
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => take()));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

it("a lock of a process that is gone, or of another with its number, does not count", async () => {
  await writeFile(join(dir, "lock.json"), JSON.stringify({ pid: process.pid, started: "0", children: [] }));
  await (await take()).release();
  await writeFile(join(dir, "lock.json"), JSON.stringify({ pid: 2 ** 22 + 1, started: "0", children: [] }));
  await (await take()).release();
  await writeFile(join(dir, "lock.json"), "nonsense");
  await take();
});

it("what a killed stack left running is ended at the next start", async () => {
  const left = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
  const pid = left.pid ?? 0;
  const children = [{ pid, started: await findProcess(pid) }];
  await writeFile(join(dir, "lock.json"), JSON.stringify({ pid: 2 ** 22 + 1, started: "0", children }));
  await take();
  await expect.poll(() => findProcess(pid)).toBeUndefined();
});

it("with nothing to keep, the data is in a temporary folder that goes away", async () => {
  const dataDir = await take(true);
  expect(dataDir.state).not.toBe(dataDir.path);
  await writeFile(join(dataDir.state, "something"), "x");
  await dataDir.release();
  await expect(stat(dataDir.state)).rejects.toMatchObject({ code: "ENOENT" });
  expect(await readdir(dir)).toEqual([]);
});

it("a folder that cannot be used is reported in one line that says what to do", async () => {
  await writeFile(join(dir, "a-file"), "");
  const work = takeDataDir(join(dir, "a-file", "below"), { memory: false });
  await expect(work).rejects.toThrow(/^Cannot make the data folder .*: choose another one with --data DIR$/);
});

it("the stack file is private, and counts only while its stack lives", async () => {
  const names = ["apiUrl", "wsUrl", "partyUrl", "issuer", "apiKey", "databaseUrl", "neonFetchEndpoint"] as const;
  const values = Object.fromEntries([...names, "redisRestUrl", "redisRestToken", "chatJwtSecret"].map((n) => [n, n]));
  const stack = { pid: process.pid, ...values } as StackFile; // every field but pid is a text
  await writeStackFile(dir, stack);
  expect(await findRunningStack(dir)).toEqual(stack);
  expect((await stat(join(dir, "stack.json"))).mode & 0o777).toBe(0o600);
  await writeStackFile(dir, { ...stack, pid: 2 ** 22 + 1 });
  expect(await findRunningStack(dir)).toBeUndefined();
  await removeStackFile(dir);
  expect(await findRunningStack(dir)).toBeUndefined();
});
