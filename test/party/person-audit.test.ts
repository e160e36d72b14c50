import { beforeEach, describe, expect, it } from "vitest";
import { KNOCKS } from "../../domain/visits.ts";
import { createRoomLogger } from "../../party/log.ts";
import { Person } from "../../party/person.ts";
import { AppId } from "../../protocol/ids.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { FakePlatform } from "./fake-platform.ts";

const START = Date.parse("2026-03-01T12:00:00.000Z");
const MINUTE = 60_000;
const app = AppId.parse("demo");
const who = { app, userId: "mallory" };

describe.each([
  ["awake", false],
  ["asleep between any two requests", true],
])("what a person is refused at the door of every room, their object %s", (_, sleepy) => {
  let platform: FakePlatform;
  let store: ReturnType<typeof createMemoryStore>;
  let person: Person;
  let [now, ids, writes, mode] = [START, 0, 0, "up" as "up" | "down" | "answer lost"];
  const log = createRoomLogger(false, () => {});
  const open = () =>
    new Person(platform, {
      store: {
        writeAudit: async (...given) => {
          writes++;
          if (mode !== "down") await store.writeAudit(...given);
          if (mode !== "up") throw new Error("Postgres is away");
        },
      },
      now: () => now,
      newId: () => `id-${++ids}`,
      log,
    });
  beforeEach(() => {
    [platform, store, now, writes, mode] = [new FakePlatform(), createMemoryStore(), START, 0, "up"];
    person = open();
  });

  const askAwake = async (verb: string, body: object) => {
    const text = async () => JSON.stringify(body);
    return (await person.request({ url: `http://rooms.test/parties/people/0123abcd/${verb}`, text })).status;
  };
  const ask = (verb: string, body: object) => {
    if (sleepy) person = open();
    return askAwake(verb, body);
  };
  /** Without the sleep that would bring a new limit with it. */
  const knockAwake = () => askAwake("visit", { roomId: "lobby", issuedAt: now, who });
  const visit = (roomId = "lobby", issuedAt = now) => ask("visit", { roomId, issuedAt, who });
  const ban = () => ask("order", { userId: "mallory", requestId: "r1", ban: { until: null } });
  const advance = async (ms: number) => {
    const until = now + ms;
    for (let alarms = 0; (platform.storage.alarmAt ?? Infinity) <= until; alarms++) {
      if (alarms > 500) throw new Error("The object wakes itself without end");
      now = Math.max(now, platform.storage.alarmAt ?? now);
      platform.storage.alarmAt = null;
      if (sleepy) person = open();
      await person.alarm();
    }
    now = until;
  };
  const entries = async () => (await store.listAudit(app, { limit: 100 })).map(({ entry }) => entry).toReversed();

  it("A09 S4-27 is in the audit log: who, where, when, why, and how often in that minute", async () => {
    await ban();
    for (let knock = 0; knock < 3; knock++) expect(await visit("plans")).toBe(403);
    expect(await entries()).toEqual([]);
    await advance(MINUTE);
    const about = { action: "request.refuse", actor: "mallory", requestId: null };
    const inPlans = { ...about, channelId: "plans", subject: "plans", at: START };
    expect(await entries()).toMatchObject([{ ...inPlans, detail: "banned x3" }]);
    await visit("lobby");
    await advance(MINUTE);
    expect((await entries()).slice(1)).toMatchObject([{ ...about, channelId: "lobby", detail: "banned" }]);
    expect(platform.storage.alarmAt).toBeNull();
  });

  it("J24 S4-27 tells a revoked token from a ban, and names no room where there were several", async () => {
    await ask("order", { userId: "mallory", requestId: "r1", revokedBefore: START });
    for (const room of ["lobby", "plans"]) expect(await visit(room, START - 1)).toBe(401);
    await ban();
    expect(await visit("lobby")).toBe(403);
    await advance(MINUTE);
    expect(await entries()).toMatchObject([
      { detail: "token_revoked x2", channelId: null, subject: null },
      { detail: "banned", channelId: "lobby" },
    ]);
  });

  it("S4-27 counts a flood as one entry, and writes little while it can count in memory", async () => {
    await ban();
    const { puts } = platform.storage;
    for (let knock = 0; knock < 200; knock++) expect(await visit()).toBe(403);
    expect(platform.storage.puts - puts).toBeLessThan(sleepy ? 250 : 30);
    await advance(MINUTE);
    expect(await entries()).toMatchObject([{ detail: "banned x200" }]);
  });

  it("W10 S4-27 tells who knocks too fast", async () => {
    const refused = [];
    for (let knock = 0; knock < 2 * KNOCKS.burst; knock++) refused.push(await knockAwake());
    expect(refused.filter((status) => status === 429)).toHaveLength(KNOCKS.burst);
    await advance(MINUTE);
    const [entry, ...others] = await entries();
    const [code, times] = entry?.detail?.split(" x") ?? [];
    expect([code, others]).toEqual(["rate_limited", []]);
    // In one second: falling asleep then costs half of the count at most.
    expect(Number(times)).toBeGreaterThanOrEqual(sleepy ? KNOCKS.burst / 2 : KNOCKS.burst);
    expect(Number(times)).toBeLessThanOrEqual(KNOCKS.burst);
  });

  it("D01 S4-27 waits for Postgres without growing, and loses nothing", async () => {
    await ban();
    mode = "down";
    for (let minute = 0; minute < 10; minute++) {
      for (let knock = 0; knock < 3; knock++) await visit();
      await advance(MINUTE);
    }
    expect(writes).toBeLessThan(50);
    expect(JSON.stringify([...platform.storage.durable]).length).toBeLessThan(2_000);
    mode = "up";
    await advance(2 * MINUTE);
    const told = (await entries()).map(({ detail }) => Number(detail?.split(" x")[1]));
    expect(told.reduce((sum, count) => sum + count, 0)).toBe(30);
    expect(platform.storage.alarmAt).toBeNull();
  });

  it("D03 S4-27 is there once when Postgres has taken it and the answer was lost", async () => {
    await ban();
    await visit();
    mode = "answer lost";
    await advance(MINUTE);
    mode = "up";
    await advance(MINUTE);
    expect(writes).toBeGreaterThan(1);
    expect(await entries()).toHaveLength(1);
  });

  it("D15 S4-27 goes out although its alarm was lost, once anything wakes the object", async () => {
    await ban();
    await visit();
    platform.storage.alarmAt = null;
    now += 10 * MINUTE;
    person = open();
    await ask("order", { userId: "mallory", requestId: "r2", ban: null });
    await advance(MINUTE);
    expect((await entries()).map(({ detail }) => detail)).toEqual(["banned"]);
  });

  it("D13 is refused all the same by a door of the version before, which does not say who it is", async () => {
    await ban();
    expect(await ask("visit", { roomId: "lobby", issuedAt: now })).toBe(403);
    await advance(MINUTE);
    expect(await entries()).toEqual([]);
  });
});
