import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/**
 * When a running process was started, as text to compare: a pid alone may belong to another process by now.
 *
 * @returns undefined when there is no such process; an empty text when this machine does not tell.
 */
export async function findProcess(pid: number): Promise<string | undefined> {
  if (!isRunning(pid)) return undefined;
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (status !== undefined) {
    // The name in parentheses may hold spaces; after it come the state and, as 20th field, the start time.
    const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : (fields[19] ?? ""); // a zombie has ended, only nobody asked how
  }
  const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => ({
    stdout: "",
  }));
  return stdout.trim();
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
