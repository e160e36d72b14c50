import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Variables } from "../domain/config.ts";
import type { DataDir } from "./data-dir.ts";
import { openDatabase } from "./database.ts";
import { type Issuer, type IssuerOptions, startIssuer } from "./issuer.ts";
import { findSetting } from "./local-settings.ts";
import { startNeonServer } from "./neon-server.ts";
import { openPostgresDoor } from "./postgres-door.ts";
import { writePrivateFile } from "./private-file.ts";
import { startRedisProcess } from "./redis-process.ts";
import { StackError } from "./stack-error.ts";

/** Something that was started and has to be closed, newest first. */
export type Closer = () => Promise<void>;

export interface BackendOptions {
  dataDir: DataDir;
  memory: boolean;
  port: number;
  partyPort: number;
  environment: Variables;
  closers: Closer[];
}

export interface Postgres {
  databaseUrl: string;
  neonFetchEndpoint: string;
}

/** Postgres behind Neon's protocol: the environment's own, or one in this process. */
export async function startPostgres(options: BackendOptions): Promise<Postgres> {
  const given = findSetting(options.environment, "DATABASE_URL");
  const endpoint = findSetting(options.environment, "NEON_FETCH_ENDPOINT");
  if (given !== undefined && endpoint !== undefined) return { databaseUrl: given, neonFetchEndpoint: endpoint };
  if (given !== undefined && isNeon(given)) return { databaseUrl: given, neonFetchEndpoint: neonEndpoint(given) };
  const databaseUrl = given ?? (await startDatabase(options));
  const neon = await startNeonServer({ port: helperPort(options, 3), databaseUrl });
  options.closers.push(() => neon.close());
  return { databaseUrl, neonFetchEndpoint: neon.fetchEndpoint };
}

async function startDatabase(options: BackendOptions): Promise<string> {
  const { dataDir, memory, closers } = options;
  const dir = memory ? undefined : join(dataDir.state, "postgres");
  const database = await openDatabase(dir).catch((cause: unknown) => {
    throw new StackError(`Cannot open the database in ${dir}: restore it, or delete that folder to begin anew`, {
      cause,
    });
  });
  closers.push(() => database.close());
  const password = await keptSecret(dataDir, "postgres-password");
  const door = await openPostgresDoor(database, { port: helperPort(options, 2), password });
  closers.push(() => door.close());
  return door.databaseUrl;
}

function isNeon(databaseUrl: string): boolean {
  return URL.canParse(databaseUrl) && new URL(databaseUrl).hostname.endsWith(".neon.tech");
}

/** Where Neon's own driver goes: the first part of the host's name becomes `api`. */
function neonEndpoint(databaseUrl: string): string {
  return `https://${new URL(databaseUrl).hostname.replace(/^[^.]+\./, "api.")}/sql`;
}

export interface UpstashRedis {
  restUrl: string;
  restToken: string;
}

/** Redis behind Upstash's protocol: the environment's own, or one of this stack. */
export async function startRedis(options: BackendOptions): Promise<UpstashRedis> {
  const { dataDir, environment, closers } = options;
  const given = findSetting(environment, "UPSTASH_REDIS_REST_URL");
  const givenToken = findSetting(environment, "UPSTASH_REDIS_REST_TOKEN");
  if (given !== undefined && givenToken !== undefined) return { restUrl: given, restToken: givenToken };
  const token = givenToken ?? (await keptSecret(dataDir, "redis-token"));
  const redisUrl = findSetting(environment, "REDIS_URL");
  const port = helperPort(options, 4);
  const server = await startRedisProcess({ port, token, redisUrl }).catch((cause: unknown) => {
    throw new StackError("Cannot reach the Redis that REDIS_URL names: start it, or unset REDIS_URL", { cause });
  });
  closers.push(() => server.close());
  return { restUrl: server.url, restToken: token };
}

/** The local identity provider. Its keys are kept in the data folder, unless nothing is. */
export async function startIdentity(
  options: BackendOptions,
  { pageOrigin, through }: Pick<IssuerOptions, "pageOrigin" | "through">,
): Promise<Issuer> {
  const dataDir = options.memory ? {} : { dataDir: options.dataDir.state };
  const issuer = await startIssuer({ port: helperPort(options, 1), pageOrigin, through, ...dataDir });
  options.closers.push(() => issuer.close());
  return issuer;
}

/** The ports after the Worker's, so that addresses are the same at each start; any free ones when nothing is kept. */
function helperPort({ port, partyPort, memory }: BackendOptions, offset: number): number {
  const wanted = port + offset;
  return memory || wanted === partyPort || wanted > 65_535 ? 0 : wanted;
}

/** A secret made at the first start on a data folder, 256 random bits, readable only by its owner. */
export async function keptSecret(dataDir: DataDir, name: string): Promise<string> {
  const file = join(dataDir.state, name);
  const kept = (await readFile(file, "utf8").catch(() => "")).trim();
  if (kept !== "") return kept;
  const secret = randomBytes(32).toString("base64url");
  await writePrivateFile(file, `${secret}\n`);
  return secret;
}
