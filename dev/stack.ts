import { join, resolve } from "node:path";
import { migrate } from "../db/migrate.ts";
import { createPostgresStore } from "../db/postgres-store.ts";
import { readConfig, type Settings, type Variables } from "../domain/config.ts";
import { signInOf } from "../domain/sign-in.ts";
import { AppId } from "../protocol/ids.ts";
import {
  type BackendOptions,
  type Closer,
  keptSecret,
  type Postgres,
  startIdentity,
  startPostgres,
  startRedis,
} from "./backends.ts";
import { type DataDir, takeDataDir } from "./data-dir.ts";
import { openLocalApiKey } from "./local-api-key.ts";
import { findSetting, overlaySettings } from "./local-settings.ts";
import { requireFreePort, untilAllAnswer, whenOneEnds, whenOneIsSilent } from "./parts.ts";
import { buildPage } from "./page.ts";
import { startRooms } from "./rooms.ts";
import { type PartControl, RunningPart } from "./running-part.ts";
import { StackError } from "./stack-error.ts";
import { removeStackFile, type StackFile, writeStackFile } from "./stack-file.ts";
import { startWorker } from "./worker.ts";

export interface StackOptions {
  port: number;
  partyPort: number;
  dataDir: string;
  /** Keeps nothing. The data folder then only holds the stack file and the logs. */
  memory: boolean;
  /** Settings in here win over the stack's own. */
  environment: Variables;
  /** Run in place of the project's own entries. */
  entries?: { rooms?: string; worker?: string } | undefined;
  /** Gives the address that others are told for a part, which leads to it: how something is put between two of them. */
  through?: ((hop: StackHop, url: string) => Promise<string>) | undefined;
  /** Told what is being started. */
  progress?: (step: string) => void;
  /** Told every line that the Worker and the rooms write. */
  onLine?: (part: string, line: string) => void;
}

/** What stands behind an address: the Worker for clients, the rooms for the Worker's gateway, and what both lean on. */
export type StackHop = "worker" | "gateway" | "postgres" | "redis" | "issuer";

export interface RunningStack extends StackFile {
  /** The two programs, to be taken away and brought back. */
  worker: PartControl;
  rooms: PartControl;
  /** Settles with what happened when a part ends that nobody stopped. */
  broken: Promise<StackError>;
  /** Publishes the page and the docs anew, after a change. */
  rebuildPage(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the whole of Parley on this machine and resolves when every part answers.
 *
 * @throws {StackError} when it cannot; everything started so far is stopped again.
 */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  const closers: Closer[] = [];
  const stop = async () => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    return { ...(await start(options, closers)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: StackOptions, closers: Closer[]): Promise<Omit<RunningStack, "stop">> {
  await requireFreePort(options.port, "--port");
  await requireFreePort(options.partyPort, "--party-port");
  const dataDir = await takeDataDir(resolve(options.dataDir), options);
  closers.push(() => dataDir.release());
  options.progress?.("the database, Redis and the identity provider");
  const backends = await startBackends({ ...options, dataDir, closers });
  const variables = overlaySettings(await composeSettings(backends, options.through), options.environment);
  const settings = requireSettings(variables);
  options.progress?.("the tables, the page, the Worker and the rooms");
  const rebuildPage = () => publishPage(dataDir, backends, settings);
  const [apiKey, worker, rooms] = await allOrNone([
    prepareDatabase(backends.postgres, settings, dataDir),
    rebuildPage().then(() => startPart("Worker", backends.apiUrl, options, { dataDir, variables, closers })),
    startPart("rooms", backends.partyUrl, options, { dataDir, variables, closers }),
  ]);
  const parts = [worker, rooms];
  const ended = whenOneEnds(parts);
  await untilAllAnswer(parts, ended);
  const broken = Promise.race([ended, whenOneIsSilent(parts)]);
  const file = describe(backends, apiKey, settings);
  await writeStackFile(dataDir.path, file);
  closers.push(() => removeStackFile(dataDir.path));
  return { ...file, worker, rooms, broken, rebuildPage };
}

type Backends = Awaited<ReturnType<typeof startBackends>>;

async function startBackends(options: BackendOptions & Pick<StackOptions, "through">) {
  const apiUrl = `http://127.0.0.1:${options.port}`;
  const partyUrl = `http://127.0.0.1:${options.partyPort}`;
  const { through } = options;
  const [postgres, redis, issuer, secret] = await allOrNone([
    startPostgres(options),
    startRedis(options),
    startIdentity(options, {
      pageOrigin: findSetting(options.environment, "PUBLIC_URL") ?? apiUrl,
      through: through && ((url) => through("issuer", url)),
    }),
    keptSecret(options.dataDir, "chat-jwt-secret"),
  ]);
  return { apiUrl, partyUrl, postgres, redis, issuer, secret };
}

async function composeSettings(backends: Backends, through: StackOptions["through"] = async (_, url) => url) {
  const { apiUrl, partyUrl, postgres, redis, issuer, secret } = backends;
  return {
    ENVIRONMENT: "development",
    DEV_MODE: "true",
    PUBLIC_URL: await through("worker", apiUrl),
    PARTY_URL: await through("gateway", partyUrl),
    ALLOWED_ORIGINS: `${apiUrl},${apiUrl.replace("127.0.0.1", "localhost")}`,
    LOCAL_ISSUER: issuer.name,
    CHAT_JWT_SECRET: secret,
    DATABASE_URL: postgres.databaseUrl,
    NEON_FETCH_ENDPOINT: await through("postgres", postgres.neonFetchEndpoint),
    UPSTASH_REDIS_REST_URL: await through("redis", redis.restUrl),
    UPSTASH_REDIS_REST_TOKEN: redis.restToken,
  };
}

/** @throws {StackError} that names every wrong setting: the environment's, as the stack's own are right. */
function requireSettings(variables: Variables): Settings {
  const { settings, problems } = readConfig(variables);
  if (settings !== undefined) return settings;
  const list = problems.map(({ name, problem }) => `${name} ${problem}`).join("; ");
  throw new StackError(`Cannot start with the settings in your environment: ${list}`);
}

async function publishPage(dataDir: DataDir, backends: Backends, settings: Settings): Promise<void> {
  const { apiUrl, issuer, partyUrl } = backends;
  // The page may have been opened as localhost, to which the sockets' addresses are another origin.
  const sockets = [apiUrl, partyUrl].map((url) => url.replace(/^http/, "ws"));
  const { provider, issuer: signsIn } = signInOf(settings);
  await buildPage(assetsDir(dataDir), {
    connect: [issuer.url, partyUrl, ...sockets],
    clerk: provider === "clerk" && signsIn !== null ? new URL(signsIn).origin : undefined,
  });
}

function assetsDir(dataDir: DataDir): string {
  return join(dataDir.state, "assets");
}

/** @returns The local API key, once the tables are there. */
async function prepareDatabase(postgres: Postgres, settings: Settings, { state }: DataDir): Promise<string> {
  const { databaseUrl, neonFetchEndpoint } = postgres;
  try {
    await migrate({ databaseUrl, fetchEndpoint: neonFetchEndpoint });
    const store = createPostgresStore({ databaseUrl, fetchEndpoint: neonFetchEndpoint });
    return await openLocalApiKey(store, AppId.parse(settings.APP_ID), state);
  } catch (cause) {
    const { message } = cause instanceof Error && cause.cause instanceof Error ? cause.cause : (cause as Error);
    throw new StackError(`Cannot prepare the database: ${message}; is DATABASE_URL right, and the database up?`, {
      cause,
    });
  }
}

interface PartSetup {
  dataDir: DataDir;
  variables: Record<string, string>;
  closers: Closer[];
}

async function startPart(
  name: "Worker" | "rooms",
  url: string,
  options: StackOptions,
  setup: PartSetup,
): Promise<RunningPart> {
  const { dataDir, variables, closers } = setup;
  const logFile = join(dataDir.path, "logs", `${name.toLowerCase()}.log`);
  const port = Number(new URL(url).port);
  const entry = options.entries?.[name === "rooms" ? "rooms" : "worker"];
  const part = await RunningPart.launch({
    name,
    url,
    logFile,
    onLine: (line) => options.onLine?.(name, line),
    launch: async (onLine, appendLog) => {
      const partOptions = { dataDir, port, settings: variables, logFile, appendLog, entry, onLine };
      const child =
        name === "rooms"
          ? await startRooms(partOptions)
          : await startWorker({ ...partOptions, assetsDir: assetsDir(dataDir) });
      await dataDir.recordChild(child.pid);
      return child;
    },
  });
  closers.push(() => part.stop());
  return part;
}

function describe({ apiUrl, partyUrl, postgres, redis, issuer, secret }: Backends, apiKey: string, settings: Settings) {
  return {
    pid: process.pid,
    apiUrl,
    wsUrl: `${apiUrl.replace(/^http/, "ws")}/ws`,
    partyUrl,
    issuer: issuer.url,
    apiKey,
    databaseUrl: postgres.databaseUrl,
    neonFetchEndpoint: postgres.neonFetchEndpoint,
    redisRestUrl: redis.restUrl,
    redisRestToken: redis.restToken,
    chatJwtSecret: settings.CHAT_JWT_SECRET ?? secret,
  };
}

/** Like `Promise.all`, but when one fails it waits for the others first, so that what they started can be stopped. */
async function allOrNone<Works extends readonly Promise<unknown>[]>(
  works: readonly [...Works],
): Promise<{ [Key in keyof Works]: Awaited<Works[Key]> }> {
  await Promise.allSettled(works);
  return (await Promise.all(works)) as { [Key in keyof Works]: Awaited<Works[Key]> }; // what Promise.all means by it
}
