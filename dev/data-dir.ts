import { link, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { killGroup } from "./child.ts";
import { writePrivateFile } from "./private-file.ts";
import { findProcess } from "./process-identity.ts";
import { StackError } from "./stack-error.ts";

const Running = z.object({ pid: z.int(), started: z.string() });
const Lock = z.object({ ...Running.shape, children: z.array(Running) });
type Lock = z.infer<typeof Lock>;

export interface DataDir {
  /** Where this stack's own files are: the stack file, the logs. */
  path: string;
  /** Where its data is: the same folder, or a temporary one when nothing is kept. */
  state: string;
  /** Writes down a child, so that the next start can end it if this process cannot. */
  recordChild(pid: number): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes a data folder for this process alone: two databases on one folder would destroy it.
 *
 * @throws {StackError} when another stack runs on it.
 */
export async function takeDataDir(path: string, options: { memory: boolean }): Promise<DataDir> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new StackError(`Cannot make the data folder ${path}: choose another one with --data DIR`, { cause });
  });
  const file = join(path, "lock.json");
  await clearStaleLock(file, path);
  const lock: Lock = { pid: process.pid, started: (await findProcess(process.pid)) ?? "", children: [] };
  await createLock(file, lock, path);
  const state = options.memory ? await mkdtemp(join(tmpdir(), "parley-")) : path;
  return {
    path,
    state,
    recordChild: async (pid) => {
      lock.children.push({ pid, started: (await findProcess(pid)) ?? "" });
      await writePrivateFile(file, JSON.stringify(lock));
    },
    release: async () => {
      if (options.memory) await rm(state, { recursive: true, force: true });
      await rm(file, { force: true });
    },
  };
}

async function clearStaleLock(file: string, path: string): Promise<void> {
  const lock = await readLock(file);
  if (lock !== undefined && (await isSame(lock))) throw alreadyRunning(path, lock.pid);
  for (const child of lock?.children ?? []) if (await isSame(child)) killGroup(child.pid);
  await rm(file, { force: true });
}

async function createLock(file: string, lock: Lock, path: string): Promise<void> {
  const draft = `${file}.${crypto.randomUUID()}`;
  try {
    await writePrivateFile(draft, JSON.stringify(lock));
    await link(draft, file); // unlike a rename, refuses when the file is there
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST")
      throw alreadyRunning(path, (await readLock(file))?.pid);
    throw new StackError(`Cannot write to the data folder ${path}: choose another one with --data DIR`, { cause });
  } finally {
    await rm(draft, { force: true });
  }
}

function alreadyRunning(path: string, pid: number | undefined): StackError {
  const who = pid === undefined ? "" : ` (process ${pid})`;
  return new StackError(`A stack already runs on ${path}${who}: stop it, or start another with --data DIR`);
}

async function isSame({ pid, started }: z.infer<typeof Running>): Promise<boolean> {
  return (await findProcess(pid)) === started;
}

async function readLock(file: string): Promise<Lock | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return Lock.parse(JSON.parse(text));
  } catch {
    return undefined; // not ours: nobody can hold it
  }
}
