import { connect } from "node:net";
import { once } from "node:events";
import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startRedisProcess } from "../../dev/redis-process.ts";
import { startRedisServer } from "../../dev/redis-server.ts";
import { reasonForNoRedis, startRealRedis } from "../support/real-redis.ts";

const TOKEN = "local-redis-token";

interface Start {
  (): Promise<{ redisUrl: string | undefined; stop(): Promise<void> }>;
}
const startNothing: Start = async () => ({ redisUrl: undefined, stop: async () => {} });
const post = async (url: string, token: string, body: string): Promise<unknown[]> => {
  const reply = await fetch(url, { method: "POST", headers: { authorization: `Bearer ${token}` }, body });
  return [reply.status, await reply.json()];
};

describeRedisServer("the Redis in this process", startNothing, undefined);
describeRedisServer("a real Redis", startRealRedis, reasonForNoRedis());

function describeRedisServer(name: string, start: Start, missing: string | undefined) {
  describe(`Upstash's protocol in front of ${name}`, () => {
    let real: Awaited<ReturnType<typeof start>>;
    let server: Awaited<ReturnType<typeof startRedisServer>>;
    let redis: Redis;
    beforeAll(async () => {
      if (missing !== undefined) return;
      real = await start();
      server = await startRedisServer({ token: TOKEN, redisUrl: real.redisUrl });
      redis = new Redis({ url: server.url, token: TOKEN, retry: false, enableTelemetry: false });
    });
    beforeEach(async ({ skip }) => {
      skip(missing !== undefined, missing);
      await redis.flushall();
    });
    afterAll(async () => {
      await server?.close();
      await real?.stop();
    });

    it("keeps strings, numbers, objects and text in any language", async () => {
      await redis.set("greeting", "grüß dich 👋");
      await redis.set("object", { a: [1, null, "OK"] });
      expect(await redis.get("greeting")).toBe("grüß dich 👋");
      expect(await redis.get("object")).toEqual({ a: [1, null, "OK"] });
      expect(await redis.incrby("count", 5)).toBe(5);
      expect(await redis.get("nothing")).toBeNull();
      expect(await redis.set("greeting", "again", { nx: true })).toBeNull();
    });

    it("knows hashes, sorted sets, sets and times to live", async () => {
      await redis.hset("user", { name: "Ann", seen: 5 });
      expect(await redis.hgetall("user")).toEqual({ name: "Ann", seen: 5 });
      await redis.zadd("board", { score: 2, member: "b" }, { score: 1, member: "a" });
      expect(await redis.zrange("board", 0, -1)).toEqual(["a", "b"]);
      expect(await redis.zrange("board", 0, 5, { byScore: true, withScores: true })).toEqual(["a", 1, "b", 2]);
      await redis.sadd("tags", "OK", "x");
      expect((await redis.smembers("tags")).toSorted()).toEqual(["OK", "x"]);
      await redis.set("short", 1, { px: 60_000 });
      expect(await redis.pttl("short")).toBeGreaterThan(50_000);
    });

    it("runs pipelines and transactions", async () => {
      const pipeline = redis.pipeline().set("a", "1").get("a").get("none");
      expect(await pipeline.exec()).toEqual(["OK", 1, null]);
      expect(await redis.multi().incr("n").incr("n").get("n").exec()).toEqual([1, 2, 2]);
    });

    it("tells errors as Upstash does", async () => {
      await redis.set("text", "x");
      await expect(redis.incr("text")).rejects.toThrow(/ERR value is not an integer/);
      await expect(redis.exec(["NOPE", "x"])).rejects.toThrow(/unknown command/);
      await expect(redis.evalsha("0".repeat(40), [], [])).rejects.toThrow(/NOSCRIPT/);
      const [failed] = await redis.pipeline().incr("text").exec({ keepErrors: true });
      expect(failed?.error).toMatch(/not an integer/);
    });

    it("runs scripts by text and, once seen or loaded, by hash", async () => {
      const script = "return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}";
      expect(await redis.eval(script, ["k"], ["v"])).toEqual(["k", "v", 1]);
      const hash = await redis.scriptLoad(script);
      expect(await redis.evalsha(hash, ["k"], ["v"])).toEqual(["k", "v", 2]);
    });

    it.each([
      ["sliding", Ratelimit.slidingWindow(3, "60 s")],
      ["fixed", Ratelimit.fixedWindow(3, "60 s")],
    ])("runs the %s window of @upstash/ratelimit", async (_, limiter) => {
      const limit = new Ratelimit({ redis, limiter, ephemeralCache: false, analytics: false, prefix: "limits" });
      const answers = [];
      for (let turn = 0; turn < 4; turn++) answers.push(await limit.limit("ann"));
      expect(answers.map(({ success }) => success)).toEqual([true, true, true, false]);
      expect(answers[0]).toMatchObject({ limit: 3, remaining: 2 });
      expect((await limit.limit("bob")).success).toBe(true);
    });

    it("counts concurrent callers once each", async () => {
      const limiter = Ratelimit.slidingWindow(5, "60 s");
      const limit = new Ratelimit({ redis, limiter, ephemeralCache: false, analytics: false, prefix: "crowd" });
      const answers = await Promise.all(Array.from({ length: 12 }, () => limit.limit("ann")));
      expect(answers.filter(({ success }) => success)).toHaveLength(5);
    });

    it("refuses a wrong token and a body that is no command", async () => {
      expect(await post(server.url, "wrong", '["PING"]')).toEqual([
        401,
        { error: "WRONGPASS invalid or missing auth token" },
      ]);
      expect(await post(server.url, TOKEN, '["PING"]')).toEqual([200, { result: "PONG" }]);
      expect(await post(server.url, TOKEN, "{}")).toEqual([
        400,
        { error: expect.stringMatching(/^ERR failed to parse command/) },
      ]);
    });
  });
}

it("two local Redis servers share nothing", async () => {
  const [first, second] = [await startRedisServer({ token: TOKEN }), await startRedisServer({ token: TOKEN })];
  const client = (url: string) => new Redis({ url, token: TOKEN, enableTelemetry: false });
  await client(first.url).set("mine", "1");
  expect(await client(second.url).get("mine")).toBeNull();
  await Promise.all([first.close(), second.close()]);
});

it("a Redis in a process of its own ends at once, in the middle of whatever it is asked", async () => {
  const server = await startRedisProcess({ token: TOKEN });
  const redis = new Redis({ url: server.url, token: TOKEN, retry: false, enableTelemetry: false });
  expect(await redis.set("mine", "1")).toBe("OK");
  const half = connect(Number(new URL(server.url).port), "127.0.0.1");
  half.on("error", () => undefined).resume(); // it is cut
  const cut = new Promise((resolve) => half.once("close", resolve));
  await once(half, "connect");
  half.write("POST /pipeline HTTP/1.1\r\nhost: redis\r\ncontent-length: 100\r\n\r\n[");
  await Promise.all([cut, server.close()]);
  await expect(fetch(server.url)).rejects.toThrow("fetch failed");
});

it("a Redis in a process of its own says why it does not start", async () => {
  const start = startRedisProcess({ token: TOKEN, redisUrl: "redis://127.0.0.1:1" });
  await expect(start).rejects.toThrow(/./);
});
