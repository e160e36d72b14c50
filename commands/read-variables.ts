import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { SETTINGS, type Variables } from "../domain/config.ts";
import { findRunningStack, type StackFile } from "../dev/stack-file.ts";
import { describeSetting } from "./settings-table.ts";

/** Where a command's settings came from, in words, and the settings. */
export interface Source {
  from: string;
  variables: Variables;
}

/**
 * The settings to look at: a file's when one is named, else this shell's when it sets any, else the running local stack's.
 *
 * @throws {Error} when the named file cannot be read
 */
export async function readVariables(options: {
  envFile?: string | undefined;
  /** Undefined: never mind the local stack. */
  dataDir: string | undefined;
}): Promise<Source> {
  if (options.envFile !== undefined) return { from: options.envFile, variables: await readEnvFile(options.envFile) };
  if (setsAny(process.env)) return { from: "this shell", variables: process.env };
  const stack = options.dataDir === undefined ? undefined : await findRunningStack(options.dataDir);
  return stack === undefined
    ? { from: "this shell, which sets nothing", variables: process.env }
    : { from: `the local stack on ${options.dataDir}`, variables: settingsOf(stack) };
}

async function readEnvFile(file: string): Promise<Variables> {
  try {
    return { ...parseEnv(await readFile(file, "utf8")) };
  } catch (cause) {
    throw new Error(`Cannot read ${file}: is there such a file?`, { cause });
  }
}

function settingsOf(stack: StackFile): Variables {
  return {
    ENVIRONMENT: "development",
    DEV_MODE: "true",
    PUBLIC_URL: stack.apiUrl,
    PARTY_URL: stack.partyUrl,
    LOCAL_ISSUER: stack.issuer,
    DATABASE_URL: stack.databaseUrl,
    NEON_FETCH_ENDPOINT: stack.neonFetchEndpoint,
    UPSTASH_REDIS_REST_URL: stack.redisRestUrl,
    UPSTASH_REDIS_REST_TOKEN: stack.redisRestToken,
    CHAT_JWT_SECRET: stack.chatJwtSecret,
  };
}

// PORT and NODE_ENV are set in many shells for other programs, and say nothing about this one.
function setsAny(variables: Variables): boolean {
  const names = (Object.keys(SETTINGS) as (keyof typeof SETTINGS)[]).flatMap((name) => [
    name,
    ...(describeSetting(name).aliases ?? []),
  ]);
  return names.some((name) => name !== "PORT" && name !== "NODE_ENV" && (variables[name] ?? "") !== "");
}
