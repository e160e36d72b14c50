import * as z from "zod";
import { findSetting } from "../dev/local-settings.ts";
import { startNeonServer } from "../dev/neon-server.ts";
import { findRunningStack } from "../dev/stack-file.ts";
import { SETTINGS } from "../domain/config.ts";
import { ChatError } from "../protocol/errors.ts";

/** The database a command works on. */
export interface CommandDatabase {
  databaseUrl: string;
  /** Undefined for Neon itself, which has its own address. */
  fetchEndpoint: string | undefined;
  /** Which one it is, without user and password. */
  name: string;
  close(): Promise<void>;
}

/**
 * The database named in the environment: Neon, or any other Postgres through a bridge that lives as long as the command;
 * else the running local stack's.
 *
 * @throws {Error} when there is none, or its address cannot be read.
 */
export async function openCommandDatabase(dataDir: string): Promise<CommandDatabase> {
  const databaseUrl = findSetting(process.env, "DATABASE_URL");
  if (databaseUrl === undefined) return await findLocalDatabase(dataDir);
  const { error } = z.safeParse(SETTINGS.DATABASE_URL.schema, databaseUrl);
  if (error !== undefined) throw new Error(`Cannot use DATABASE_URL: ${error.issues[0]?.message ?? "cannot be read"}`);
  const { host, hostname, pathname } = new URL(databaseUrl);
  const named = { databaseUrl, name: `${host}${pathname}`, close: async () => {} };
  const fetchEndpoint = findSetting(process.env, "NEON_FETCH_ENDPOINT");
  if (fetchEndpoint !== undefined || hostname.endsWith(".neon.tech")) return { ...named, fetchEndpoint };
  const bridge = await startNeonServer({ databaseUrl });
  return { ...named, fetchEndpoint: bridge.fetchEndpoint, close: () => bridge.close() };
}

async function findLocalDatabase(dataDir: string): Promise<CommandDatabase> {
  const stack = await findRunningStack(dataDir);
  if (stack === undefined)
    throw new Error(
      `No database: set DATABASE_URL, or start the local stack with npm run dev (none is running on ${dataDir})`,
    );
  return {
    databaseUrl: stack.databaseUrl,
    fetchEndpoint: stack.neonFetchEndpoint,
    name: `the local stack on ${dataDir}`,
    close: async () => {},
  };
}

/** What went wrong, for the person at the terminal: here the database's own words help, and they name no password. */
export function describeFailure(error: unknown, name: string): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof ChatError) || error.code !== "storage_unavailable") return error.message;
  return `Cannot use the database (${name}): ${messageOf(rootOf(error))}`;
}

/** The innermost error. Node gives one per address it tried; the driver wraps in its own way. */
function rootOf(error: Error): Error {
  const inner: unknown =
    error instanceof AggregateError
      ? (error.errors as unknown[])[0]
      : (error.cause ?? (error as { sourceError?: unknown }).sourceError);
  return inner instanceof Error ? rootOf(inner) : error;
}

// A bridge or a proxy that answers 500 does so with JSON, of which only the message is for people.
function messageOf({ message }: Error): string {
  const [, told] = /^Server error \(HTTP status \d+\): .*"message":"([^"]+)"/s.exec(message) ?? [];
  return told ?? (message || "no answer");
}
