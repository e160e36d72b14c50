import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKeySetCache } from "../../db/key-set-cache.ts";
import { createPresenceBoard } from "../../db/presence-board.ts";
import { createRedisProbe } from "../../db/upstash.ts";
import type { AppId, ChannelId, UserId } from "../../protocol/ids.ts";
import { reasonForNoRedis, startRealRedis } from "../support/real-redis.ts";
import { BROKEN_WAYS, type BrokenRedis, openBrokenRedis, openRedis, type TestRedis } from "./redis-servers.ts";

describeRedis("the local Redis", () => openRedis());
const reason = reasonForNoRedis();
if (reason === undefined)
  describeRedis("a real Redis", async () => {
    const real = await startRealRedis();
    const opened = await openRedis(real.redisUrl);
    return { ...opened, close: async () => (await opened.close(), await real.stop()) };
  });
else describe.skip(`what is kept in a real Redis (skipped: ${reason})`, () => it("is not run", () => {}));

function describeRedis(name: string, open: () => Promise<TestRedis>): void {
  describe(`what is kept in ${name}`, () => {
    let opened: TestRedis;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(async () => opened.close());

    it("answers a ping, and none that is given up", async () => {
      const probe = createRedisProbe(opened.redis);
      await probe.ping(new AbortController().signal);
      await expect(probe.ping(AbortSignal.abort())).rejects.toMatchObject({ code: "storage_unavailable" });
    });

    describe("presence", () => {
      const app = "demo" as AppId;
      const [lobby, cats] = ["lobby", "cats"] as unknown as [ChannelId, ChannelId];
      const at = new Date("2026-01-02T03:04:05.678Z");
      const newUser = () => `u-${crypto.randomUUID()}` as UserId;
      const boardAt = (secondsLater: number) =>
        createPresenceBoard(opened.redis, () => at.getTime() + secondsLater * 1_000);

      it("knows nothing of a user who was never seen", async () => {
        expect(await boardAt(0).findUserPresence(app, newUser())).toEqual({ online: false, lastSeenAt: null });
      });

      it("shows who is online, until a room has said nothing for 150 s", async () => {
        const alice = newUser();
        await boardAt(0).reportPresence(app, lobby, { online: [alice], offline: [], at });
        expect(await boardAt(149).findUserPresence(app, alice)).toEqual({ online: true, lastSeenAt: at });
        expect(await boardAt(151).findUserPresence(app, alice)).toEqual({ online: false, lastSeenAt: at });
      });

      it("keeps a user online who left one of two rooms", async () => {
        const alice = newUser();
        const later = new Date(at.getTime() + 5_000);
        await boardAt(0).reportPresence(app, lobby, { online: [alice], offline: [], at });
        await boardAt(0).reportPresence(app, cats, { online: [alice], offline: [], at });
        await boardAt(5).reportPresence(app, lobby, { online: [], offline: [alice], at: later });
        expect(await boardAt(6).findUserPresence(app, alice)).toEqual({ online: true, lastSeenAt: later });
        await boardAt(5).reportPresence(app, cats, { online: [], offline: [alice], at: later });
        expect(await boardAt(6).findUserPresence(app, alice)).toEqual({ online: false, lastSeenAt: later });
      });

      it("takes a report of a thousand people, and one of nobody", async () => {
        const online = Array.from({ length: 1_000 }, newUser);
        await boardAt(0).reportPresence(app, lobby, { online, offline: [], at });
        await boardAt(0).reportPresence(app, lobby, { online: [], offline: [], at });
        expect(await boardAt(1).findUserPresence(app, online.at(-1) as UserId)).toMatchObject({ online: true });
      });

      it("T03 D09 keeps apps, and ids that only look alike, apart", async () => {
        const alice = newUser();
        await boardAt(0).reportPresence(app, lobby, { online: [alice], offline: [], at });
        const unknown = { online: false, lastSeenAt: null };
        expect(await boardAt(1).findUserPresence("other" as AppId, alice)).toEqual(unknown);
        expect(await boardAt(1).findUserPresence(app, alice.toUpperCase() as UserId)).toEqual(unknown);
      });

      it("does not mistake a channel called like its own field for when somebody was seen", async () => {
        const user = "123" as UserId;
        await boardAt(0).reportPresence(app, "seen" as ChannelId, { online: [user], offline: [], at });
        expect(await boardAt(1).findUserPresence(app, user)).toEqual({ online: true, lastSeenAt: at });
      });
    });

    describe("an issuer's last good key set", () => {
      const entry = { jwks: { keys: [{ kty: "RSA", kid: "1", n: "zwölf", e: "AQAB" }] }, fetchedAt: 1_767_000_000_123 };

      it("comes back as it was kept, for that issuer only", async () => {
        const cache = createKeySetCache(opened.redis);
        await cache.save("https://one.example.com", entry);
        expect(await cache.load("https://one.example.com")).toEqual(entry);
        expect(await cache.load("https://two.example.com")).toBeUndefined();
      });

      it("K03 is kept for 24 hours", async () => {
        await createKeySetCache(opened.redis).save("https://one.example.com", entry);
        expect(await opened.redis.send(["ttl", "parley:jwks:https://one.example.com"])).toBeGreaterThan(86_390);
      });

      it("K07 counts as nothing when something else stands in its place", async () => {
        const cache = createKeySetCache(opened.redis);
        for (const text of ["", "{", "[]", '{"jwks":{}}', '{"fetchedAt":"now"}', '{"__proto__":{},"fetchedAt":1}']) {
          await opened.redis.send(["set", "parley:jwks:https://odd.example.com", text]);
          expect(await cache.load("https://odd.example.com")).toBeUndefined();
        }
      });
    });
  });
}

describe.each(BROKEN_WAYS)("a Redis that %s", (way) => {
  let opened: BrokenRedis;
  beforeAll(async () => {
    opened = await openBrokenRedis(way, 100);
  });
  afterAll(async () => opened.close());

  const app = "demo" as AppId;
  const alice = "alice" as UserId;
  const lobby = "lobby" as ChannelId;
  const unavailable = { code: "storage_unavailable" };

  it("is unavailable to whoever asks for a ping", async () => {
    const probe = createRedisProbe(opened.redis);
    await expect(probe.ping(new AbortController().signal)).rejects.toMatchObject(unavailable);
  });

  it("O01 is unavailable to a room's report, and the error repeats nobody's name", async () => {
    const change = { online: [alice], offline: [], at: new Date() };
    const error: unknown = await createPresenceBoard(opened.redis)
      .reportPresence(app, lobby, change)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(unavailable);
    expect(String((error as Error).cause)).not.toContain("alice");
  });

  it("is asked once: nothing is tried again behind the caller's back", async () => {
    const before = opened.requests();
    await createKeySetCache(opened.redis)
      .load("https://one.example.com")
      .catch(() => undefined);
    expect(opened.requests() - before).toBe(way === "refuses" ? 0 : 1);
  });
});
