import { waitUntil } from "cloudflare:workers";
import { createKeySetCache } from "../db/key-set-cache.ts";
import { createWorkerStore } from "../db/postgres-store.ts";
import { createPresenceBoard } from "../db/presence-board.ts";
import { createRestrictionBoard } from "../db/restriction-board.ts";
import { createRedis, createRedisProbe } from "../db/upstash.ts";
import { createUpstashLimiter } from "../db/upstash-limiter.ts";
import { type ConfigReport, readConfig, type Settings, type Variables } from "../domain/config.ts";
import { problemResponse } from "../domain/problem.ts";
import { RefusedRequests } from "../domain/refused-requests.ts";
import { createApp } from "./app.ts";
import { createBrokenApp } from "./broken-app.ts";
import { handleUpgrade } from "./gateway/upgrade.ts";
import { limitPolicies } from "./limit-policies.ts";
import { createLog } from "./log.ts";
import { createDeps, type World } from "./deps.ts";
import { splitUrl } from "./url.ts";

type Service = (request: Request) => Response | Promise<Response>;

const SOCKET_PATHS: ReadonlySet<string> = new Set(["/ws", "/api/ws"]);

// The environment of an isolate never changes, so everything is put together once, by its first request.
let service: Promise<Service> | undefined;

export default {
  async fetch(request: Request, env: Variables): Promise<Response> {
    try {
      service ??= start(readConfig(env)).catch(forget);
      const serve = await service;
      return await serve(request);
    } catch (error) {
      return problemResponse(error);
    }
  },
};

// What could not be put together is tried again by the next request.
function forget(error: unknown): never {
  service = undefined;
  throw error;
}

async function start(report: ConfigReport): Promise<Service> {
  const { settings } = report;
  if (settings === undefined) {
    const broken = createBrokenApp(report);
    return (request) => broken.fetch(request);
  }
  const deps = await createDeps(settings, report, openWorld(settings));
  const app = createApp(deps);
  const gateway = { ...deps, refused: new RefusedRequests(deps) };
  return (request) => (isUpgrade(request) ? handleUpgrade(gateway, request) : app.fetch(request));
}

function isUpgrade(request: Request): boolean {
  return request.headers.has("upgrade") && SOCKET_PATHS.has(splitUrl(request.url).path);
}

function openWorld(settings: Settings): World {
  const { DATABASE_URL, NEON_FETCH_ENDPOINT, UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN } = settings;
  // A sound configuration names them all; what is empty here would only fail later and less clearly.
  const redis = createRedis({ url: UPSTASH_REDIS_REST_URL ?? "", token: UPSTASH_REDIS_REST_TOKEN ?? "" });
  return {
    store: createWorkerStore({ databaseUrl: DATABASE_URL ?? "", fetchEndpoint: NEON_FETCH_ENDPOINT }),
    redis: createRedisProbe(redis),
    board: createPresenceBoard(redis),
    keySets: createKeySetCache(redis),
    restrictions: createRestrictionBoard(redis),
    limiter: createUpstashLimiter({ redis, policies: limitPolicies(settings), waitUntil }),
    fetch: (input, init) => fetch(input, init),
    now: Date.now,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    waitUntil,
    // oxlint-disable-next-line no-console -- what is written here is what the platform keeps as this Worker's log
    log: createLog(settings, (line) => console.log(line)),
  };
}
