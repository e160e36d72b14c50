import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { parseJson } from "./parse-json.ts";
import { writePrivateFile } from "./private-file.ts";
import { findProcess } from "./process-identity.ts";

/** What a running stack tells the commands: where everything is, and the keys to it. Only its owner can read the file. */
export const StackFile = z.object({
  pid: z.int(),
  apiUrl: z.string(),
  wsUrl: z.string(),
  partyUrl: z.string(),
  issuer: z.string(),
  apiKey: z.string(),
  databaseUrl: z.string(),
  neonFetchEndpoint: z.string(),
  redisRestUrl: z.string(),
  redisRestToken: z.string(),
  chatJwtSecret: z.string(),
});
export type StackFile = z.infer<typeof StackFile>;

/** Tells the commands that a stack runs on this folder. */
export async function writeStackFile(dataDir: string, stack: StackFile): Promise<void> {
  await writePrivateFile(stackFilePath(dataDir), `${JSON.stringify(stack, undefined, 2)}\n`);
}

/** It runs no more. */
export async function removeStackFile(dataDir: string): Promise<void> {
  await rm(stackFilePath(dataDir), { force: true });
}

/** The stack that runs on a data folder; undefined when none does, even if one has left its file behind. */
export async function findRunningStack(dataDir: string): Promise<StackFile | undefined> {
  const text = await readFile(stackFilePath(dataDir), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const stack = StackFile.safeParse(parseJson(text));
  if (!stack.success || (await findProcess(stack.data.pid)) === undefined) return undefined;
  return stack.data;
}

function stackFilePath(dataDir: string): string {
  return join(dataDir, "stack.json");
}
