import { describe, expect, it } from "vitest";
import { SteadyClock } from "../../domain/steady-clock.ts";
import { settle, World } from "./world.ts";
import type { Client } from "./client.ts";
import { createFlakyStore } from "./flaky-store.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BACK = [
  ["an hour", HOUR],
  ["a day", DAY],
] as const;
const LONG_LIFE = { lifeMs: 10 * DAY };

/** Lets time pass for clients that go on saying that they are there. */
async function live(world: World, clients: Client[], ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 20_000) {
    for (const client of clients) await client.say({ type: "ping" });
    await world.advance(Math.min(20_000, ms - passed));
  }
}

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("a clock that jumps under $room", ({ sleepy }) => {
  it.each([-DAY, -HOUR, HOUR, DAY])("I09 D16 keeps seqs and times rising over %d ms", async (jump) => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice", LONG_LIFE);
    for (const content of ["one", "two"]) await alice.post(content);
    world.jump(jump);
    for (const content of ["three", "four"]) await alice.post(content);
    world.jump(-jump);
    await alice.post("five");
    const heard = alice.all("message");
    expect(heard.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    const times = heard.map(({ timestamp }) => Date.parse(timestamp));
    expect(times).toEqual([...new Set(times)].toSorted((one, other) => one - other));
    await world.advance(5_000);
    expect((await world.history()).map(({ content }) => content)).toEqual(["one", "two", "three", "four", "five"]);
  });

  it.each(BACK)("D16 locks nobody out when it goes back by %s", async (_what, jump) => {
    const world = new World({ sleepy, settings: { RATE_LIMIT_MAX_MESSAGES: 3 } });
    const alice = await world.connect("alice", LONG_LIFE);
    for (let n = 0; n < 3; n++) await alice.post(`m${n}`);
    world.jump(-jump);
    await alice.say({ type: "ping" });
    await live(world, [alice], 60_001);
    for (let n = 0; n < 3; n++) expect(await alice.post(`n${n}`)).toMatchObject({ type: "ack" });
  });

  it.each(BACK)("D16 goes on writing to history when it goes back by %s during an outage", async (_what, jump) => {
    const history = createFlakyStore();
    history.mode = "down";
    const { store } = history;
    const world = new World({ sleepy, store });
    const alice = await world.connect("alice", LONG_LIFE);
    await alice.post("hello");
    await live(world, [alice], 120_000);
    world.jump(-jump);
    history.mode = "up";
    await alice.say({ type: "ping" });
    await world.advance(31_000);
    expect(await world.history()).toHaveLength(1);
  });

  it.each(BACK)("D16 tells of typing that ends, and of people who go, when it goes back by %s", async (_what, jump) => {
    const world = new World({ sleepy });
    const [alice, bob] = [await world.connect("alice", LONG_LIFE), await world.connect("bob", LONG_LIFE)];
    const carol = await world.connect("carol", LONG_LIFE);
    await live(world, [alice, bob, carol], 2_000);
    await bob.say({ type: "typing", isTyping: true });
    expect(alice.last("typing_indicator")).toMatchObject({ userId: "bob", isTyping: true });
    await carol.leave();
    world.jump(-jump);
    await live(world, [alice, bob], 8_000);
    expect(alice.last("typing_indicator")).toMatchObject({ userId: "bob", isTyping: false });
    expect(
      alice.all("presence").filter(({ userId, status }) => userId === "carol" && status === "offline"),
    ).toHaveLength(1);
  });

  it.each(BACK)("I11 X03 D16 sends heads and ends the dead when it goes back by %s", async (_what, jump) => {
    const world = new World({ sleepy });
    const [alice, bob] = [await world.connect("alice", LONG_LIFE), await world.connect("bob", LONG_LIFE)];
    await bob.say({ type: "ping" });
    await live(world, [alice], 20_000);
    world.jump(-jump);
    const before = alice.all("heads").length;
    await live(world, [alice], 100_000);
    expect(alice.all("heads").length - before).toBeGreaterThanOrEqual(3);
    expect(bob.closed).toMatchObject({ code: 4003 });
    expect(alice.closed).toBeUndefined();
  });

  it.each(BACK)("D16 ends nobody as dead when it goes ahead by %s, and those who are, later", async (_what, jump) => {
    const world = new World({ sleepy });
    const [alice, bob] = [await world.connect("alice", LONG_LIFE), await world.connect("bob", LONG_LIFE)];
    for (const client of [alice, bob]) await client.say({ type: "ping" });
    await live(world, [alice, bob], 20_000);
    world.jump(jump);
    await world.advance(1_000);
    expect([alice.closed, bob.closed]).toEqual([undefined, undefined]);
    expect(alice.all("presence").filter(({ status }) => status === "offline")).toEqual([]);
    await live(world, [alice], 100_000);
    expect(alice.closed).toBeUndefined();
    expect(bob.closed).toMatchObject({ code: 4003 });
  });

  it("D16 refuses nobody for a backlog that only a clock set ahead makes old", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice", LONG_LIFE);
    await alice.post("one");
    world.jump(2 * DAY);
    expect(await alice.post("two")).toMatchObject({ type: "ack", seq: 2 });
  });

  it("I06 D16 drops nothing from the log that history and the filter do not have, however far it goes ahead", async () => {
    const history = createFlakyStore();
    history.mode = "down";
    const { store } = history;
    const world = new World({ sleepy, store, settings: { RATE_LIMIT_MAX_MESSAGES: 10_000 } });
    const alice = await world.connect("alice", { lifeMs: 100 * DAY });
    for (let n = 0; n < 800; n++)
      await world.room.message(
        alice.connection,
        `{"type":"message","content":"m${n}","clientMessageId":"client-${n}"}`,
      );
    await settle();
    world.jump(30 * DAY);
    await alice.post("later");
    await live(world, [alice], 60_000);
    expect(world.platform.storage.keys("m:")).toHaveLength(801);
    history.mode = "up";
    await live(world, [alice], 60_000);
    await alice.post("last");
    expect(world.platform.storage.keys("m:").length).toBeLessThan(600);
    expect(await alice.post("m0", "client-0")).toMatchObject({ type: "ack", seq: 1, duplicate: true });
    expect(await world.history()).toHaveLength(801);
  });
});

describe("a token's end", () => {
  it("D16 is a matter of the wall clock: one that goes back ends no socket early or late", async () => {
    const world = new World();
    const alice = await world.connect("alice", { lifeMs: 2 * HOUR });
    await alice.say({ type: "ping" });
    world.jump(-HOUR);
    await live(world, [alice], 2 * HOUR + 60_000);
    expect(alice.closed).toBeUndefined();
    await live(world, [alice], HOUR);
    expect(alice.closed).toMatchObject({ code: 4001 });
  }, 60_000);
});

describe("a room's clock", () => {
  it("D16 does not go back, and is the wall clock again once that has caught up", () => {
    let wall = 1_000_000;
    const clock = new SteadyClock(() => wall);
    expect(clock.now()).toBe(1_000_000);
    wall = 400_000;
    expect(clock.now()).toBe(1_000_000);
    wall = 400_250;
    expect(clock.now()).toBe(1_000_250);
    expect(clock.toWall(1_000_350)).toBe(400_350);
    wall = 2_000_000;
    expect(clock.now()).toBe(2_000_000);
    expect(clock.toWall(2_000_100)).toBe(2_000_100);
  });

  it("D16 tells once that it was set back, and not for a trifle", () => {
    let wall = 1_000_000;
    const clock = new SteadyClock(() => wall);
    clock.now();
    wall -= 500;
    expect(clock.takeSetBack()).toBe(false);
    wall -= 60_000;
    clock.now();
    expect(clock.takeSetBack()).toBe(true);
    expect(clock.takeSetBack()).toBe(false);
  });
});
