import { beforeEach, describe, expect, it } from "vitest";
import { KNOCKS, VISIT_KEPT_MS, VISITS_MAX } from "../../domain/visits.ts";
import { createRoomLogger } from "../../party/log.ts";
import { Person, type VisitReply } from "../../party/person.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { FakePlatform } from "./fake-platform.ts";

/** What they are refused is in nobody's way here: `person-audit.test.ts` looks at it. */
function openPerson(platform: FakePlatform, now: () => number): Person {
  const log = createRoomLogger(false, () => {});
  return new Person(platform, { store: createMemoryStore(), now, newId: () => crypto.randomUUID(), log });
}

const START = Date.parse("2026-03-01T12:00:00.000Z");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe.each([
  ["awake", false],
  ["asleep between any two requests", true],
])("the object that stands for a person, %s", (_, sleepy) => {
  let [platform, now] = [new FakePlatform(), START];
  let person: Person;
  const wake = () => openPerson(platform, () => now);
  beforeEach(() => {
    [platform, now] = [new FakePlatform(), START];
    person = wake();
  });

  const ask = async (verb: string, body: unknown) => {
    if (sleepy) person = wake();
    const url = `http://rooms.test/parties/people/0123abcd/${verb}`;
    const answer = await person.request({ url, text: async () => JSON.stringify(body) });
    return { status: answer.status, ...((await answer.json()) as object) };
  };
  const visit = async (roomId: string, issuedAt = now) => {
    const answer = await ask("visit", { roomId, issuedAt });
    return Object.fromEntries(Object.entries(answer).filter(([name]) => name !== "knock"));
  };
  const order = (change: object) => ask("order", { userId: "bob", requestId: "r1", ...change });
  const advance = async (ms: number) => {
    for (const until = now + ms; ;) {
      const alarmAt = platform.storage.alarmAt;
      if (alarmAt === null || alarmAt > until) return void (now = until);
      now = alarmAt;
      platform.storage.alarmAt = null;
      if (sleepy) person = wake();
      await person.alarm();
    }
  };

  it("J24 names the rooms where somebody has been, to whoever revokes their tokens", async () => {
    expect(await visit("lobby")).toEqual({ status: 200, notBefore: 0 });
    await visit("plans");
    await visit("lobby");
    expect(await order({ revokedBefore: now })).toEqual({ status: 200, rooms: ["lobby", "plans"] });
  });

  it("J24 refuses tokens from before, takes later ones, and tells rooms since when", async () => {
    await order({ revokedBefore: START });
    expect(await visit("lobby", START - 1)).toEqual({ status: 401, code: "token_revoked" });
    expect(await visit("lobby", START)).toEqual({ status: 200, notBefore: START });
  });

  it("A09 a ban and its lifting may arrive in any order: what was decided last holds", async () => {
    const banned = { status: 403, code: "banned" };
    await order({ ban: null, decidedAt: START + 2 });
    await order({ ban: { until: null }, decidedAt: START + 1 });
    expect(await visit("lobby")).toEqual({ status: 200, notBefore: 0 });
    await order({ ban: { until: null }, decidedAt: START + 3 });
    await order({ ban: null, decidedAt: START + 2.5 });
    expect(await visit("lobby")).toEqual(banned);
    await order({ revokedBefore: START + 1_000, decidedAt: START + 2.7 });
    expect(await visit("lobby")).toEqual(banned);
    await order({ ban: null, decidedAt: START + 4 });
    expect(await visit("lobby", START + 1_000)).toEqual({ status: 200, notBefore: START + 1_000 });
  });

  it("J24 never takes a revocation back, but one from a clock that ran ahead (D16)", async () => {
    await order({ revokedBefore: START });
    await order({ revokedBefore: START - 30_000 });
    expect(await visit("lobby", START - 1)).toMatchObject({ code: "token_revoked" });
    await order({ revokedBefore: START + DAY });
    expect(await visit("lobby", START + 1)).toMatchObject({ code: "token_revoked" });
    await order({ revokedBefore: START + 1_000 });
    expect(await visit("lobby", START + 1_000)).toEqual({ status: 200, notBefore: START + 1_000 });
  });

  it("A09 refuses who is banned, whatever their token, until the ban ends or is lifted", async () => {
    await order({ revokedBefore: START, ban: { until: START + HOUR } });
    expect(await visit("lobby", START + 1)).toEqual({ status: 403, code: "banned" });
    now += HOUR;
    expect(await visit("lobby")).toMatchObject({ status: 200 });
    await order({ ban: { until: null } });
    expect(await visit("lobby")).toMatchObject({ code: "banned" });
    await order({ ban: null });
    expect(await visit("lobby")).toEqual({ status: 200, notBefore: START });
    expect(await visit("lobby", START - 1)).toMatchObject({ code: "token_revoked" });
  });

  it("D16 a clock that jumps a day and back neither ends a ban for good nor forgets a room", async () => {
    await visit("lobby");
    await order({ ban: { until: START + HOUR } });
    await advance(2 * DAY + HOUR);
    expect(await order({})).toMatchObject({ rooms: ["lobby"] });
    now = START;
    expect(await visit("lobby")).toMatchObject({ code: "banned" });
  });

  it("forgets rooms long after the last socket there can have ended, and keeps those visited since", async () => {
    await visit("lobby");
    await visit("plans");
    await advance(2 * DAY);
    await visit("plans");
    await advance(2 * DAY);
    expect(await order({})).toEqual({ status: 200, rooms: ["plans"] });
    await advance(8 * DAY);
    expect(platform.storage.keys("room:")).toEqual([]);
  });

  it("forgets each room when its own time is up, however long another one's has been", async () => {
    await visit("lobby");
    await advance(3 * DAY);
    await visit("plans");
    await advance(VISIT_KEPT_MS - 1);
    expect(platform.storage.keys("room:")).toEqual(["room:plans"]);
    await advance(1);
    expect(platform.storage.keys("room:")).toEqual([]);
  });

  it("writes nothing for who comes back within the hour", async () => {
    await visit("lobby");
    const { puts } = platform.storage;
    now += HOUR / 2;
    await visit("lobby");
    expect(platform.storage.puts).toBe(puts);
  });

  it("answers what it cannot read, and what it does not know, with an error and nothing else", async () => {
    expect(await ask("visit", { roomId: "../x", issuedAt: now })).toEqual({ status: 503, code: "rooms_unavailable" });
    expect(await ask("debug", {})).toEqual({ status: 404, code: "not_found" });
  });
});

describe("somebody who has been in very many rooms", () => {
  let platform: FakePlatform;
  let now: number;
  let person: Person;
  beforeEach(async () => {
    [platform, now] = [new FakePlatform(), START + VISITS_MAX];
    const rooms = Array.from({ length: VISITS_MAX }, (_, at) => [`room:r${at}`, START + at] as const);
    for (let at = 0; at < rooms.length; at += 100)
      await platform.storage.put(Object.fromEntries(rooms.slice(at, at + 100)));
    person = openPerson(platform, () => now);
  });
  const ask = async (verb: string, body: object) => {
    const text = async () => JSON.stringify(body);
    const answer = await person.request({ url: `http://rooms.test/parties/people/0123abcd/${verb}`, text });
    return { status: answer.status, ...((await answer.json()) as Partial<VisitReply>) };
  };
  const visit = (roomId: string) => ask("visit", { roomId, issuedAt: now });
  const kept = (roomId: string) => platform.storage.keys("room:").includes(`room:${roomId}`);

  it("W10 is let in, and the room they came to longest ago is looked at", async () => {
    expect(await visit("r0")).not.toHaveProperty("doubtful");
    expect(await visit("one-more")).toMatchObject({ status: 200, doubtful: { roomId: "r1" } });
    expect(kept("one-more")).toBe(true);
  });

  it("J24 has a room forgotten where they are not, and kept where they are", async () => {
    const { doubtful: first } = await visit("one-more");
    await ask("whereabouts", { ...first, isHere: true });
    expect(kept("r0")).toBe(true);
    const { doubtful: second } = await visit("another");
    expect(second).toMatchObject({ roomId: "r1" });
    await ask("whereabouts", { ...second, isHere: false });
    expect(kept("r1")).toBe(false);
    expect(platform.storage.keys("room:")).toHaveLength(VISITS_MAX + 1);
  });

  it("J24 keeps a room to which they have come again while it was looked at, or just before", async () => {
    const { doubtful } = await visit("one-more");
    await visit("r0");
    await ask("whereabouts", { ...doubtful, isHere: false });
    expect(kept("r0")).toBe(true);
    expect(await visit("another")).toMatchObject({ doubtful: { roomId: "r1" } });
    now += 60_001;
    expect(await visit("a-third")).toMatchObject({ doubtful: { roomId: "r0" } });
  });
});

it("W10 takes as many sockets at once as a person's tabs can need, and then two a second", async () => {
  let now = START;
  const person = openPerson(new FakePlatform(), () => now);
  const visit = async () => {
    const text = async () => JSON.stringify({ roomId: "lobby", issuedAt: START });
    return (await person.request({ url: "http://rooms.test/parties/people/0123abcd/visit", text })).status;
  };
  const many = await Promise.all(Array.from({ length: KNOCKS.burst }, visit));
  expect(new Set(many)).toEqual(new Set([200]));
  expect(await visit()).toBe(429);
  now += KNOCKS.everyMs;
  expect([await visit(), await visit()]).toEqual([200, 429]);
});

it("refuses everybody when it cannot read what it kept", async () => {
  const platform = new FakePlatform();
  await platform.storage.put({ restriction: { revokedBefore: "yesterday" } });
  const person = openPerson(platform, () => START);
  const text = async () => JSON.stringify({ roomId: "lobby", issuedAt: START });
  const answer = await person.request({ url: "http://rooms.test/parties/people/0123abcd/visit", text });
  expect(answer.status).toBe(503);
});
