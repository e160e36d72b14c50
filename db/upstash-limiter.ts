import { Ratelimit } from "@upstash/ratelimit";
import * as z from "zod/mini";
import { type Allowance, LocalLimiter } from "../domain/local-limiter.ts";
import type { Now } from "../domain/ports/clock.ts";
import type { LimitAnswer, Limiter, LimitPolicyName } from "../domain/ports/limiter.ts";
import type { Restriction } from "../domain/ports/restrictions.ts";
import { SteadyClock } from "../domain/steady-clock.ts";
import { within } from "../domain/within.ts";
import { ChatError } from "../protocol/errors.ts";
import { BlockedIdentities } from "./blocked-identities.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { hashIdentity } from "./identity-hash.ts";
import { readRestriction, restrictionKey } from "./restriction-board.ts";
import type { Command, Redis } from "./upstash.ts";

export interface UpstashLimiterOptions {
  redis: Redis;
  policies: Record<LimitPolicyName, Allowance>;
  /** Takes work that may go on after the answer. */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined;
  now?: Now | undefined;
  /** How long Redis may take to answer, in milliseconds, before the count here stands in; 250 when left out. */
  patienceMs?: number | undefined;
}

const PATIENCE_MS = 250;
/** How long Redis is left alone once it failed, in milliseconds. */
const REST_MS = 5_000;
/** How many identities are remembered here, at most. */
const REMEMBERED = 10_000;
/** Without Redis every location counts for itself, so what hands out tokens allows a tenth here. */
const LOCAL_SHARE: Record<LimitPolicyName, number> = {
  token: 0.1,
  mint: 0.1,
  channel: 1,
  manage: 1,
  key_failure: 0.1,
  read: 1,
};

/**
 * Counts in Redis, in sliding windows. When Redis fails or takes too long the count is made here, stricter, and the
 * answer says `degraded`; it never throws. Identities go to Redis as hashes, so none can pose as another.
 */
export function createUpstashLimiter(options: UpstashLimiterOptions): Limiter {
  const { redis, policies, waitUntil, now = Date.now, patienceMs = PATIENCE_MS } = options;
  const steady = new SteadyClock(now).now;
  const local = new LocalLimiter(REMEMBERED, steady);
  const breaker = new CircuitBreaker(REST_MS, steady);
  const blocked = new BlockedIdentities(REMEMBERED);

  const takeShared = async (policy: LimitPolicyName, hashed: string): Promise<LimitAnswer> => {
    const { limit: most, windowSeconds } = policies[policy];
    let restriction: Restriction | undefined;
    const counter = new Ratelimit({
      redis: createScriptRunner(redis, restrictionKey(hashed), (found) => (restriction = found)),
      limiter: Ratelimit.slidingWindow(most, `${windowSeconds} s`),
      prefix: `parley:limit:${policy}`,
      ephemeralCache: blocked,
      timeout: 0, // its own would answer "allowed"
      enableTelemetry: false,
    });
    const { success, limit, remaining, reset, pending } = await within(patienceMs, counter.limit(hashed));
    waitUntil?.(pending);
    const resetSeconds = Math.max(0, Math.ceil((reset - now()) / 1_000));
    return { allowed: success, limit, windowSeconds, remaining, resetSeconds, degraded: false, restriction };
  };
  const takeLocal = (policy: LimitPolicyName, identity: string): LimitAnswer => {
    const { limit, windowSeconds } = policies[policy];
    const allowance = { limit: Math.max(1, Math.floor(limit * LOCAL_SHARE[policy])), windowSeconds };
    const answer = local.take(`${policy}:${identity}`, allowance);
    // Redis is asked again after its rest, so whoever is refused here need not wait for the end of the window.
    const resetSeconds = answer.allowed ? answer.resetSeconds : Math.min(answer.resetSeconds, REST_MS / 1_000);
    return { ...answer, resetSeconds, degraded: true };
  };
  return {
    async take(policy, identity) {
      const hashed = await hashIdentity(identity);
      const answer = await breaker.run(() => takeShared(policy, hashed));
      return answer ?? takeLocal(policy, hashed);
    },
  };
}

const Counts = z.tuple([z.int(), z.int()]);

/**
 * All the library asks of a Redis client for a sliding window: to run its script, by hash or whole. What is to be read on
 * the same way is asked for in the same request.
 */
function createScriptRunner(redis: Redis, key: string, found: (restriction: Restriction | undefined) => void): Client {
  const runner = (command: string) => async (script: string, keys: string[], args: number[]) => {
    try {
      const run: Command = [command, script, keys.length, ...keys, ...args];
      const [counts, raw] = await redis.sendAll([run, ["get", key]]);
      found(readRestriction(raw));
      // It would take nonsense for "refused", and remember that.
      return z.parse(Counts, counts);
    } catch (error) {
      throw error instanceof ChatError ? error.cause : error; // the library looks for Redis' own "NOSCRIPT"
    }
  };
  return { evalsha: runner("evalsha"), eval: runner("eval") } as unknown as Client; // see above
}
type Client = ConstructorParameters<typeof Ratelimit>[0]["redis"];
