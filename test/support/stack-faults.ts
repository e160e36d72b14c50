import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stack } from "./stack.ts";

const FAULT =
  /"level":"error"(?!,"event":"history_write_failed".*storage_unavailable)|Uncaught (?!Error: WebSocket protocol error|exception: kj.*worker_do_not_log)/;

/**
 * What either half has reported as a fault of its own. The runtime's words on broken connections are none, nor is a history
 * that has to be written again because Postgres was slow.
 */
export async function readFaults({ dataDir }: Pick<Stack, "dataDir">): Promise<string[]> {
  const logs = ["rooms", "worker"].map((part) => readFile(join(dataDir, `logs/${part}.log`), "utf8"));
  const lines = (await Promise.all(logs)).flatMap((text) => text.split("\n"));
  return lines.filter((line) => FAULT.test(line));
}
