import type { HealthCheck, HealthReply } from "../protocol/http.ts";
import type { Deps } from "./deps.ts";
import type { RoomLink } from "./ports/room-link.ts";
import type { Probe } from "./ports/store.ts";
import { type Timed, timedCheck } from "./timed-check.ts";

type HealthDeps = Pick<Deps, "store" | "redis" | "rooms" | "sessions" | "limiter" | "configReport" | "now">;
type Status = HealthCheck["status"];

/** How long a check may take. The identity provider's own limit is 2 s, so it gets a little more to say so. */
const LIMITS_MS = { postgres: 2_000, redis: 1_000, rooms: 2_000, identity: 3_000 } as const;
// For this long after the limiter had to count by itself, health says so.
const FALLBACK_TOLD_MS = 60_000;

/** Looks at everything this deployment leans on, side by side, each with its own time limit. Names no address. */
export async function checkHealth(deps: HealthDeps): Promise<HealthReply> {
  const checks = await Promise.all([
    checkConfig(deps),
    checkProbe(deps, "postgres", deps.store, "Check DATABASE_URL and that the database accepts connections"),
    checkRedis(deps),
    checkProbe(deps, "rooms", deps.rooms, "Check PARTY_URL, and that both halves have the same CHAT_JWT_SECRET"),
    checkIdentity(deps),
  ]);
  return toReply(checks, deps.now());
}

/** What health says of a deployment whose configuration stops it. Settings are named, values never shown. */
export function brokenHealth(problems: readonly { name: string; problem: string }[], now: number): HealthReply {
  const hint = problems.map(({ name, problem }) => `${name} ${problem}`).join("; ");
  return toReply([{ name: "config", status: "unhealthy", ms: 0, hint }], now);
}

function toReply(checks: HealthCheck[], now: number): HealthReply {
  return {
    status: overall(checks),
    checks,
    warnings: checks.flatMap(({ name, status, hint }) => (status === "healthy" ? [] : [`${name}: ${hint ?? status}`])),
    timestamp: new Date(now).toISOString(),
  };
}

// Whoever has a chat token goes on without the identity provider, so its absence alone does not stop the service.
function overall(checks: readonly HealthCheck[]): Status {
  const isDown = checks.some(({ name, status }) => status === "unhealthy" && name !== "identity");
  if (isDown) return "unhealthy";
  return checks.every(({ status }) => status === "healthy") ? "healthy" : "degraded";
}

async function checkConfig({ configReport }: HealthDeps): Promise<HealthCheck> {
  const aliases = configReport.aliasesUsed.map(({ name, alias }) => `${name} is read from ${alias}`);
  return { name: "config", status: "healthy", ms: 0, ...(aliases.length > 0 && { hint: aliases.join("; ") }) };
}

async function checkProbe(
  { now }: HealthDeps,
  name: "postgres" | "rooms",
  probe: Probe | RoomLink,
  hint: string,
): Promise<HealthCheck> {
  const { ms, failed } = await timedCheck(now, LIMITS_MS[name], (signal) => probe.ping(signal));
  return failed ? { name, status: "unhealthy", ms, hint } : { name, status: "healthy", ms };
}

// Without Redis limits are counted here and presence is unknown; everything else goes on.
async function checkRedis({ redis, limiter, now }: HealthDeps): Promise<HealthCheck> {
  const { ms, failed } = await timedCheck(now, LIMITS_MS.redis, (signal) => redis.ping(signal));
  const hint = "Check UPSTASH_REDIS_REST_URL and its token; until then limits are counted per location and stricter";
  if (failed) return { name: "redis", status: "degraded", ms, hint };
  if (!limiter.fellBackWithin(FALLBACK_TOLD_MS)) return { name: "redis", status: "healthy", ms };
  return {
    name: "redis",
    status: "degraded",
    ms,
    hint: "Redis answered too late for a rate limit within the last minute; limits were counted here and stricter",
  };
}

async function checkIdentity({ sessions, now }: HealthDeps): Promise<HealthCheck> {
  if (sessions.issuers.length === 0)
    return {
      name: "identity",
      status: "degraded",
      ms: 0,
      hint: "No issuer: set CLERK_JWT_ISSUER to let users sign in",
    };
  const checks = await Promise.all(
    sessions.issuers.map(({ keys }) => timedCheck(now, LIMITS_MS.identity, () => keys.check())),
  );
  const ms = Math.max(...checks.map((check) => check.ms));
  if (checks.every(({ result }) => result === "fresh")) return { name: "identity", status: "healthy", ms };
  const isServed = (check: Timed<string>) => check.result === "fresh" || check.result === "stale";
  return checks.every(isServed)
    ? {
        name: "identity",
        status: "degraded",
        ms,
        hint: "The issuer's key set cannot be fetched; its last good one is in use",
      }
    : { name: "identity", status: "unhealthy", ms, hint: "No key set: check CLERK_JWT_ISSUER and CLERK_JWKS_URL" };
}
