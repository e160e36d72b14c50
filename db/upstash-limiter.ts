import { Ratelimit } from "@upstash/ratelimit";
import type { Redis } from "@upstash/redis/cloudflare";
import * as z from "zod/mini";
import { type Allowance, LocalLimiter } from "../domain/local-limiter.ts";
import type { LimitAnswer, Limiter, LimitPolicyName, Now } from "../domain/ports.ts";
import { BlockedIdentities } from "./blocked-identities.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";

export interface UpstashLimiterOptions {
  redis: Redis;
  policies: Record<LimitPolicyName, Allowance>;
  /** Takes work that may go on after the answer. */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined;
  now?: Now | undefined;
}

/** How long Redis may take to answer, in milliseconds; then the count here stands in. */
const PATIENCE_MS = 250;
/** How long Redis is left alone once it failed, in milliseconds. */
const REST_MS = 5_000;
/** How many identities are remembered here, at most. */
const REMEMBERED = 10_000;
/** Without Redis every location counts for itself, so what hands out tokens or rows allows a tenth here. */
const LOCAL_SHARE: Record<LimitPolicyName, number> = { token: 0.1, mint: 0.1, channel: 0.1, key_failure: 0.1, read: 1 };

/**
 * Counts in Redis, in sliding windows. When Redis fails or takes more than 250 ms the count is made here, stricter, and the
 * answer says `degraded`; it never throws. Identities go to Redis as hashes, so none can pose as another.
 */
export function createUpstashLimiter(options: UpstashLimiterOptions): Limiter {
  const { redis, policies, waitUntil, now = Date.now } = options;
  const local = new LocalLimiter(REMEMBERED, now);
  const breaker = new CircuitBreaker(REST_MS, now);
  const shared = createSharedLimits(redis, policies);

  const takeShared = async (policy: LimitPolicyName, identity: string): Promise<LimitAnswer> => {
    const { success, limit, remaining, reset, pending } = await within(PATIENCE_MS, shared[policy].limit(identity));
    waitUntil?.(pending);
    const resetSeconds = Math.max(0, Math.ceil((reset - now()) / 1_000));
    const { windowSeconds } = policies[policy];
    return { allowed: success, limit, windowSeconds, remaining, resetSeconds, degraded: false };
  };
  const takeLocal = (policy: LimitPolicyName, identity: string): LimitAnswer => {
    const { limit, windowSeconds } = policies[policy];
    const allowance = { limit: Math.max(1, Math.floor(limit * LOCAL_SHARE[policy])), windowSeconds };
    return { ...local.take(`${policy}:${identity}`, allowance), degraded: true };
  };
  return {
    async take(policy, identity) {
      const hashed = await hash(identity);
      const answer = await breaker.run(() => takeShared(policy, hashed));
      return answer ?? takeLocal(policy, hashed);
    },
  };
}

function createSharedLimits(
  redis: Redis,
  policies: UpstashLimiterOptions["policies"],
): Record<LimitPolicyName, Ratelimit> {
  const blocked = new BlockedIdentities(REMEMBERED);
  const create = (policy: LimitPolicyName) =>
    new Ratelimit({
      redis: onlyCounts(redis),
      limiter: Ratelimit.slidingWindow(policies[policy].limit, `${policies[policy].windowSeconds} s`),
      prefix: `parley:limit:${policy}`,
      ephemeralCache: blocked,
      timeout: 0, // its own would answer "allowed"
      enableTelemetry: false,
    });
  return {
    token: create("token"),
    mint: create("mint"),
    channel: create("channel"),
    read: create("read"),
    key_failure: create("key_failure"),
  };
}

const Counts = z.tuple([z.int(), z.int()]);
type Script = (script: string, keys: string[], args: unknown[]) => Promise<unknown>;

/** The two commands the library sends. It would take any nonsense for "refused", and remember that. */
function onlyCounts(redis: Redis): Redis {
  const evalsha: Script = async (...call) => z.parse(Counts, await redis.evalsha(...call));
  const evaluate: Script = async (...call) => z.parse(Counts, await redis.eval(...call));
  return { evalsha, eval: evaluate } as unknown as Redis; // the library calls nothing else for a sliding window
}

async function within<Result>(limitMs: number, work: Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis took more than ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

const utf8 = new TextEncoder();

async function hash(identity: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8.encode(identity)));
  return btoa(String.fromCharCode(...digest));
}
