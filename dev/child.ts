import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { PROJECT_DIR } from "./project.ts";

const TAIL_LINES = 12;

export interface Child {
  pid: number;
  /** Settles when the command has ended, wanted or not, with its exit code and the last lines it wrote. */
  ended: Promise<{ code: number | null; lastLines: string[] }>;
  stop(): Promise<void>;
}

export interface Command {
  args: readonly string[];
  environment: Record<string, string>;
  logFile: string;
  /** Keeps what the log file has from before. */
  appendLog?: boolean | undefined;
  /** Told every line the command writes. */
  onLine?: ((line: string) => void) | undefined;
}

/** Runs a Node program under a keeper, so that it and all it starts end with this process at the latest. */
export async function startChild({ args, environment, logFile, appendLog, onLine }: Command): Promise<Child> {
  await mkdir(dirname(logFile), { recursive: true });
  const log = createWriteStream(logFile, { mode: 0o600, flags: appendLog === true ? "a" : "w" });
  const child = spawn(process.execPath, [join(import.meta.dirname, "keeper.ts"), process.execPath, ...args], {
    cwd: PROJECT_DIR,
    env: { ...process.env, ...environment },
    detached: true, // a process group of its own, which a Ctrl-C in the terminal does not reach
    stdio: ["pipe", "pipe", "pipe"],
  });
  const lastLines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    eachLine(stream, (line) => {
      log.write(`${line}\n`);
      lastLines.push(line);
      if (lastLines.length > TAIL_LINES) lastLines.shift();
      onLine?.(line);
    });
  child.stdin.on("error", () => undefined); // it ended before it was asked to
  const ended = once(child, "close").then(() => {
    log.end();
    return { code: child.exitCode, lastLines };
  });
  await once(child, "spawn");
  const pid = child.pid ?? 0; // it has one, it was spawned
  child.once("exit", () => killGroup(pid));
  return {
    pid,
    ended,
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** Ends what is left of a keeper's process group, at once. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left.
  }
}

function eachLine(stream: NonNullable<ChildProcess["stdout"]>, take: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = stripVTControlCharacters(rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") take(line);
  });
  stream.on("end", () => {
    if (rest.trim() !== "") take(rest);
  });
}
