import { afterEach, describe, expect, it } from "vitest";
import { createRestrictionBoard } from "../../db/restriction-board.ts";
import { createUpstashLimiter } from "../../db/upstash-limiter.ts";
import type { Command, Redis } from "../../db/upstash.ts";
import type { LimitPolicyName } from "../../domain/ports/limiter.ts";
import type { Restriction } from "../../domain/ports/restrictions.ts";
import { AppId, UserId } from "../../protocol/ids.ts";
import { openRedis, type TestRedis } from "./redis-servers.ts";

const APP = AppId.parse("demo");
const alice = UserId.parse("alice");
const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const ALLOWANCE = { limit: 100, windowSeconds: 3_600 };
const POLICIES: Record<LimitPolicyName, typeof ALLOWANCE> = {
  token: ALLOWANCE,
  mint: ALLOWANCE,
  channel: ALLOWANCE,
  manage: ALLOWANCE,
  read: ALLOWANCE,
  key_failure: ALLOWANCE,
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open() {
  const opened: TestRedis = await openRedis();
  closing.push(() => opened.close());
  const asked: (readonly Command[])[] = [];
  const redis: Redis = {
    send: (command) => opened.redis.send(command),
    sendAll: (commands) => {
      asked.push(commands);
      return opened.redis.sendAll(commands);
    },
  };
  const limiter = createUpstashLimiter({ redis, policies: POLICIES, patienceMs: 20_000 });
  return {
    ...opened,
    asked,
    board: createRestrictionBoard(opened.redis, () => NOW),
    take: async (identity: string) => (await limiter.take("read", identity)).restriction,
    ttl: async () => {
      const [key] = (await opened.redis.send(["keys", "parley:restriction:*"])) as string[];
      return key === undefined ? undefined : opened.redis.send(["ttl", key]);
    },
  };
}

describe("a user's restriction, found by the limiter on its way", () => {
  const revoked: Restriction = { revokedBefore: NOW, ban: null };

  it("J24 is what was saved last, for that user of that app only", async () => {
    const { board, take } = await open();
    expect(await take("demo:user:alice")).toEqual({ revokedBefore: 0, ban: null });
    await board.saveRestriction(APP, alice, { revokedBefore: NOW, ban: { until: null } });
    await board.saveRestriction(APP, alice, revoked);
    expect(await take("demo:user:alice")).toEqual(revoked);
    for (const other of ["demo:user:bob", "other:user:alice", "demo:key:alice"])
      expect(await take(other)).toEqual({ revokedBefore: 0, ban: null });
  });

  it("J24 comes with the count: no further request is made for it", async () => {
    const { asked, take } = await open();
    await take("demo:user:alice"); // Redis learns the script
    const before = asked.length;
    await take("demo:user:alice");
    expect(asked.slice(before).map((commands) => commands.map(([name]) => name))).toEqual([["evalsha", "get"]]);
  });

  it("is kept for as long as any token from before could live, or the ban lasts", async () => {
    const { board, ttl } = await open();
    await board.saveRestriction(APP, alice, revoked);
    expect(await ttl()).toBe(25 * 3_600);
    await board.saveRestriction(APP, alice, { revokedBefore: NOW, ban: { until: NOW + 48 * HOUR } });
    expect(await ttl()).toBe(48 * 3_600);
    await board.saveRestriction(APP, alice, { revokedBefore: NOW, ban: { until: null } });
    expect(await ttl()).toBe(-1);
    await board.saveRestriction(APP, alice, { revokedBefore: NOW - 26 * HOUR, ban: null });
    expect(await ttl()).toBeUndefined();
  });

  it("J24 is unknown, and not none, when Redis has something else in its place", async () => {
    const { board, redis, take } = await open();
    await board.saveRestriction(APP, alice, revoked);
    const [key = ""] = (await redis.send(["keys", "parley:restriction:*"])) as string[];
    for (const nonsense of ["", "null", "{}", '{"revokedBefore":"x","ban":null}']) {
      await redis.send(["set", key, nonsense]);
      expect(await take("demo:user:alice")).toBeUndefined();
    }
  });

  it("tells who reads the keys nothing of who it is about", async () => {
    const { board, redis } = await open();
    await board.saveRestriction(APP, alice, revoked);
    expect(await redis.send(["keys", "*"])).toEqual([expect.stringMatching(/^parley:restriction:[A-Za-z0-9+/]{43}=$/)]);
  });
});
