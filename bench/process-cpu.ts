import { readdir, readFile } from "node:fs/promises";

const TICKS_PER_SECOND = 100;

interface Stat {
  group: number;
  seconds: number;
  /** The process has ended and only waits to be counted. */
  isGone: boolean;
}

/** Seconds of CPU, user and system, that one process has used so far. */
export async function processCpuSeconds(pid: number): Promise<number> {
  return (await readStat(pid))?.seconds ?? 0;
}

/** The same for all processes of a group that are alive. */
export async function groupCpuSeconds(group: number): Promise<number> {
  const stats = await Promise.all((await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(readStat));
  return stats.reduce((sum, stat) => sum + (stat?.group === group && !stat.isGone ? stat.seconds : 0), 0);
}

// From /proc, because a child's own accounting is only told to its parent when it ends.
async function readStat(pid: number | string): Promise<Stat | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (stat === undefined) return undefined; // it has ended meanwhile
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const seconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  return { group: Number(fields[2]), seconds, isGone: fields[0] === "Z" };
}
