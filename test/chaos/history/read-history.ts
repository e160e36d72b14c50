import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { Entry } from "./entries.ts";

/**
 * Reads a recorded history.
 *
 * @throws {Error} that names the line which is not an entry.
 */
export async function readHistory(file: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() !== "") entries.push(parseLine(line, `${file}:${number}`));
  }
  return entries;
}

function parseLine(line: string, where: string): Entry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new Error(`Cannot read ${where}: it is not JSON`, { cause });
  }
  const parsed = Entry.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`Cannot read ${where}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim());
}
