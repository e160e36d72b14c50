import { afterEach, describe, expect, it, vi } from "vitest";
import { BlockedIdentities } from "../../db/blocked-identities.ts";
import { createUpstashLimiter, type UpstashLimiterOptions } from "../../db/upstash-limiter.ts";
import type { Redis } from "../../db/upstash.ts";
import { LocalLimiter } from "../../domain/local-limiter.ts";
import type { Limiter, LimitPolicyName } from "../../domain/ports/limiter.ts";
import { BROKEN_WAYS, type BrokenWay, openBrokenRedis, openRedis, type TestRedis } from "./redis-servers.ts";

/** So long that no test runs into the next window. */
const WINDOW_SECONDS = 30 * 24 * 60 * 60;
/** For tests of what Redis counts, which a busy machine must not turn into what is counted here. */
const PATIENT_MS = 20_000;
const POLICIES: UpstashLimiterOptions["policies"] = {
  token: { limit: 20, windowSeconds: WINDOW_SECONDS },
  mint: { limit: 10, windowSeconds: WINDOW_SECONDS },
  channel: { limit: 60, windowSeconds: WINDOW_SECONDS },
  manage: { limit: 60, windowSeconds: WINDOW_SECONDS },
  read: { limit: 15, windowSeconds: WINDOW_SECONDS },
  key_failure: { limit: 5, windowSeconds: WINDOW_SECONDS },
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closing.splice(0)) await close();
});
function track<Opened extends TestRedis>(opened: Opened): Opened {
  closing.push(() => opened.close());
  return opened;
}

/** How many of `times` calls in a row are allowed. */
async function countAllowed(limiter: Limiter, policy: LimitPolicyName, identity: string, times: number) {
  let allowed = 0;
  for (let call = 0; call < times; call++) if ((await limiter.take(policy, identity)).allowed) allowed++;
  return allowed;
}

describe("limits counted in Redis", () => {
  const open = async (options: Partial<UpstashLimiterOptions> = {}) =>
    createUpstashLimiter({
      redis: track(await openRedis()).redis,
      policies: POLICIES,
      patienceMs: PATIENT_MS,
      ...options,
    });

  it("allow what the policy says, then refuse and say when to come back", async () => {
    const limiter = await open();
    const first = await limiter.take("mint", "alice");
    expect(first).toMatchObject({
      allowed: true,
      limit: 10,
      windowSeconds: WINDOW_SECONDS,
      remaining: 9,
      degraded: false,
    });
    expect(await countAllowed(limiter, "mint", "alice", 9)).toBe(9);
    const refused = await limiter.take("mint", "alice");
    expect(refused).toMatchObject({ allowed: false, limit: 10, remaining: 0, degraded: false });
    expect(refused.resetSeconds).toBeGreaterThan(0);
    expect(refused.resetSeconds).toBeLessThanOrEqual(WINDOW_SECONDS);
  });

  it("are kept per identity and per policy", async () => {
    const limiter = await open();
    expect(await countAllowed(limiter, "key_failure", "alice", 6)).toBe(5);
    expect(await countAllowed(limiter, "key_failure", "bob", 6)).toBe(5);
    expect(await countAllowed(limiter, "mint", "alice", 6)).toBe(6);
  });

  it("are shared by everybody who asks the same Redis", async () => {
    const { redis } = track(await openRedis());
    const [one, two] = [0, 0].map(() => createUpstashLimiter({ redis, policies: POLICIES, patienceMs: PATIENT_MS }));
    expect(await countAllowed(one!, "mint", "alice", 6)).toBe(6);
    expect(await countAllowed(two!, "mint", "alice", 6)).toBe(4);
  });

  it("hold for many calls at once", async () => {
    const limiter = await open();
    const answers = await Promise.all(Array.from({ length: 40 }, () => limiter.take("token", "alice")));
    expect(answers.filter(({ allowed }) => allowed)).toHaveLength(20);
    expect(answers.some(({ degraded }) => degraded)).toBe(false);
  });

  it("D09 store identities as hashes, so that none can pose as another", async () => {
    const { redis } = track(await openRedis());
    const limiter = createUpstashLimiter({ redis, policies: POLICIES, patienceMs: PATIENT_MS });
    const identities = ["a:b", "a", "a:b:0", "*", "alice\r\nFLUSHALL", "", "a".repeat(10_000)];
    for (const identity of identities) expect(await countAllowed(limiter, "key_failure", identity, 6)).toBe(5);
    const keys = (await redis.send(["keys", "*"])) as string[];
    expect(keys).toHaveLength(identities.length);
    for (const key of keys) expect(key).toMatch(/^parley:limit:key_failure:[A-Za-z0-9+/]{43}=:\d+$/);
  });

  it("hand over what goes on after the answer", async () => {
    const pending: Promise<unknown>[] = [];
    const limiter = await open({ waitUntil: (work) => pending.push(work) });
    await limiter.take("read", "alice");
    expect(pending).toHaveLength(1);
    await Promise.all(pending);
  });
});

describe.each(BROKEN_WAYS)("limits when Redis %s", (way: BrokenWay) => {
  const open = async (now: () => number = Date.now) => {
    const broken = track(await openBrokenRedis(way));
    return { ...broken, limiter: createUpstashLimiter({ redis: broken.redis, policies: POLICIES, now }) };
  };

  it("D07 are counted here in under a second, and the answer says so", async () => {
    const { limiter } = await open();
    const startedAt = performance.now();
    const answer = await limiter.take("read", "alice");
    expect(performance.now() - startedAt).toBeLessThan(900);
    expect(answer).toEqual({
      allowed: true,
      limit: 15,
      windowSeconds: WINDOW_SECONDS,
      remaining: 14,
      resetSeconds: WINDOW_SECONDS,
      degraded: true,
    });
  });

  it("D07 tell whoever is refused to come back when Redis is asked again, not at the end of the window", async () => {
    const { limiter } = await open();
    await limiter.take("mint", "alice");
    expect(await limiter.take("mint", "alice")).toMatchObject({ allowed: false, resetSeconds: 5 });
  });

  it("D07 allow a tenth of what hands out tokens, at least one, and all the rest", async () => {
    const { limiter } = await open();
    const allowed = async (policy: LimitPolicyName) => await countAllowed(limiter, policy, "alice", 25);
    expect(await allowed("token")).toBe(2);
    expect(await allowed("mint")).toBe(1);
    expect(await allowed("channel")).toBe(25);
    expect(await allowed("key_failure")).toBe(1);
    expect(await allowed("read")).toBe(15);
  });

  it("D07 ask Redis again after five seconds only, and one caller at a time", async () => {
    let now = 1_000_000;
    const { limiter, requests } = await open(() => now);
    await limiter.take("read", "alice");
    const first = requests();
    await countAllowed(limiter, "read", "bob", 30);
    now += 4_999;
    await limiter.take("read", "carol");
    expect(requests()).toBe(first);
    now += 1;
    await Promise.all(["dave", "erin", "frank"].map((identity) => limiter.take("read", identity)));
    expect(requests()).toBe(way === "refuses" ? 0 : first + 1);
  });
});

describe("limits when Redis never answers", () => {
  it("D07 are counted here after 250 ms, and not before", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const asked = Promise.withResolvers<void>();
    const hang = () => {
      asked.resolve();
      return new Promise<never>(() => {});
    };
    const limiter = createUpstashLimiter({ redis: { send: hang, sendAll: hang }, policies: POLICIES });
    const answered = vi.fn();
    const answer = limiter.take("read", "alice").finally(answered);
    await asked.promise;
    await vi.advanceTimersByTimeAsync(249);
    expect(answered).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await answer).toMatchObject({ allowed: true, degraded: true });
  });
});

describe("limits when Redis comes back", () => {
  it("D07 are counted in Redis again", async () => {
    let now = Date.now();
    const healthy = track(await openRedis());
    const broken = track(await openBrokenRedis("answers 500"));
    let current = broken.redis;
    const redis: Redis = { send: (command) => current.send(command), sendAll: (commands) => current.sendAll(commands) };
    const limiter = createUpstashLimiter({ redis, policies: POLICIES, patienceMs: PATIENT_MS, now: () => now });
    expect(await limiter.take("mint", "alice")).toMatchObject({ degraded: true });
    current = healthy.redis;
    expect(await limiter.take("mint", "alice")).toMatchObject({ degraded: true, allowed: false });
    now += 5_000;
    expect(await limiter.take("mint", "alice")).toMatchObject({ degraded: false, allowed: true });
  });
});

describe("D08 what a flood of identities costs", () => {
  it("D08 the local count forgets the least recently seen", () => {
    const limiter = new LocalLimiter(1_000, () => 0);
    const allowance = { limit: 1, windowSeconds: 60 };
    for (let n = 0; n < 1_000_000; n++) limiter.take(`flood-${n}`, allowance);
    expect(limiter.size).toBe(1_000);
    expect(limiter.take("flood-999999", allowance).allowed).toBe(false);
    expect(limiter.take("flood-0", allowance).allowed).toBe(true);
  });

  it("D08 the list of those refused by Redis forgets the oldest", () => {
    const blocked = new BlockedIdentities(1_000);
    for (let n = 0; n < 100_000; n++) blocked.set(`flood-${n}`, n);
    expect(blocked.size).toBe(1_000);
    expect(blocked.has("flood-99999")).toBe(true);
    expect(blocked.has("flood-98999")).toBe(false);
  });
});

describe("the local count", () => {
  it("begins a window with its first call and a new one after it", () => {
    let now = 5_000;
    const limiter = new LocalLimiter(10, () => now);
    const take = () => limiter.take("alice", { limit: 2, windowSeconds: 60 });
    expect(take()).toEqual({ allowed: true, limit: 2, windowSeconds: 60, remaining: 1, resetSeconds: 60 });
    now += 30_000;
    expect(take()).toMatchObject({ allowed: true, remaining: 0, resetSeconds: 30 });
    now += 29_999;
    expect(take()).toMatchObject({ allowed: false, remaining: 0, resetSeconds: 1 });
    now += 1;
    expect(take()).toMatchObject({ allowed: true, remaining: 1, resetSeconds: 60 });
  });
});
