import { describe, expect, it } from "vitest";
import { readState } from "../../party/session.ts";
import { World } from "./world.ts";
import type { Client } from "./client.ts";

/** As long as a shown name gets. */
const LONGEST = "😀".repeat(100);

const statuses = (client: Client, userId: string) =>
  client.all("presence").flatMap((frame) => (frame.userId === userId ? [frame.status] : []));

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("presence in $room", ({ sleepy }) => {
  it("tells the others who comes, gathered for 100 ms, and who goes, after a grace of 5 s", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    await world.advance(100);
    const bob = await world.connect("bob", { name: "Bob" });
    await world.advance(100);
    expect(alice.last("presence")).toMatchObject({ roomId: "lobby", userId: "bob", username: "Bob", status: "online" });
    await bob.leave();
    const leftAt = new Date(world.now).toISOString();
    await world.advance(4_900);
    expect(statuses(alice, "bob")).toEqual(["online"]);
    await world.advance(200);
    expect(alice.last("presence")).toMatchObject({ userId: "bob", status: "offline", lastSeen: leftAt });
  });

  it("X05 keeps somebody online until their last socket has gone", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    const [one, two] = [await world.connect("bob"), await world.connect("bob")];
    await world.advance(100);
    await one.leave();
    await world.advance(30_000);
    await alice.say({ type: "ping" });
    expect(statuses(alice, "bob")).toEqual(["online"]);
    await two.leave();
    await world.advance(5_100);
    expect(statuses(alice, "bob")).toEqual(["online", "offline"]);
  });

  it("X02 shows nothing of a reconnect within the grace, however often", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    let bob = await world.connect("bob");
    await world.advance(100);
    for (let flap = 0; flap < 20; flap++) {
      await bob.leave();
      await world.advance(100);
      bob = await world.connect("bob");
      await world.advance(100);
    }
    expect(statuses(alice, "bob")).toEqual(["online"]);
    expect(world.platform.storage.keys("away:")).toEqual([]);
  });

  it("X03 drops a dead socket that used to ping, within 45 s of its last sign of life", async () => {
    const world = new World({ sleepy });
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await world.advance(100);
    for (const client of [alice, bob]) await client.say({ type: "ping" });
    for (let waited = 0; waited < 45; waited += 15) {
      await world.advance(15_000);
      await alice.say({ type: "ping" });
    }
    await world.advance(300);
    expect(bob.closed?.code).toBe(4003);
    expect(statuses(alice, "bob")).toEqual(["online", "offline"]);
    expect(alice.closed).toBeUndefined();
  });

  it("X03 shows a client that never pings as gone after 45 s, keeps its socket, and shows it again when it speaks", async () => {
    const world = new World({ sleepy });
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await world.advance(100);
    for (let waited = 0; waited < 60; waited += 15) {
      await world.advance(15_000);
      await alice.say({ type: "ping" });
    }
    expect(statuses(alice, "bob")).toEqual(["online", "offline"]);
    expect(bob.closed).toBeUndefined();
    await alice.post("are you there?");
    expect(bob.last("message").content).toBe("are you there?");
    await bob.post("yes");
    await world.advance(100);
    expect(statuses(alice, "bob")).toEqual(["online", "offline", "online"]);
  });
});

describe("presence", () => {
  it("tells somebody who was listed to a newcomer as gone even before they were announced", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    const bob = await world.connect("bob");
    expect(bob.last("room_joined").members).toHaveLength(2);
    await alice.leave();
    await world.advance(5_100);
    expect(statuses(bob, "alice")).toEqual(["offline"]);
  });

  it("never mentions somebody who came and went before anybody was told", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    await world.advance(100);
    await (await world.connect("bob")).leave();
    await world.advance(10_000);
    expect(statuses(alice, "bob")).toEqual([]);
  });

  it("X01 X07 takes a sender's identity from the socket only", async () => {
    const world = new World();
    const [alice, mallory] = [await world.connect("alice"), await world.connect("mallory")];
    await mallory.say({ type: "presence", userId: "bob", status: "online" });
    await mallory.say({ type: "typing", isTyping: true, userId: "bob" });
    await mallory.say({ type: "read", seq: 1, userId: "bob" });
    await world.advance(200);
    expect(mallory.all("error").map(({ code }) => code)).toEqual(["unknown_type", "bad_frame", "bad_frame"]);
    expect(alice.all("typing_indicator")).toEqual([]);
    expect(statuses(alice, "bob")).toEqual([]);
  });

  it("X06 tells a crowd how many there are instead of who came, and everybody's name once it has thinned out", async () => {
    const world = new World();
    const clients = await world.crowd(200);
    await world.advance(100);
    const first = clients[0];
    expect(first?.all("presence_count")).toEqual([]);
    const late = await world.connect("late");
    expect(late.last("room_joined").memberCount).toBe(201);
    expect(late.last("room_joined").members.length).toBeLessThan(100);
    await world.advance(2_000);
    expect(first?.last("presence_count")).toMatchObject({ memberCount: 201 });
    expect(first?.all("presence").filter(({ userId }) => userId === "late")).toEqual([]);
    await late.leave();
    await world.advance(7_000);
    expect(first?.last("presence_count").sample).toHaveLength(200);
  });

  it("X06 costs a crowd that joins at once a handful of frames each", async () => {
    const world = new World();
    const clients = await world.crowd(100);
    await world.advance(10_000);
    const told = clients.flatMap(({ frames }) => frames.filter(({ type }) => type.startsWith("presence")));
    expect(told.length).toBeGreaterThan(0);
    expect(told.length / clients.length).toBeLessThanOrEqual(3); // frames, however many travel in one message
  });

  it("X09 fits the longest ids and names, and a place in the log, into what a sleeping socket keeps", async () => {
    const world = new World({ settings: { RATE_LIMIT_MAX_MESSAGES: 1_000 } });
    const [author, reader] = [await world.connect("author"), await world.connect("u".repeat(128), { name: LONGEST })];
    for (let at = 0; at < 600; at++) await author.say({ type: "message", content: "x".repeat(200) });
    await reader.say({ type: "typing", isTyping: true });
    const kept = readState(reader.connection);
    expect(kept).toMatchObject({ username: LONGEST, joined: true, present: true });
    expect(kept?.typingUntil).toBeGreaterThan(0);
    await world.sleep();
    expect(await reader.post("still me")).toMatchObject({ type: "ack" });
    expect(author.last("message")).toMatchObject({ userId: "u".repeat(128), username: LONGEST });
  });

  it("X09 shows of a token's name what may be shown, and of its holder nothing else", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    await world.connect("bob", { name: `B\u202eo\u0000b${"!".repeat(500)}` });
    await world.advance(100);
    const { lastSeen, ...shown } = alice.last("presence");
    expect(shown).toEqual({
      type: "presence",
      roomId: "lobby",
      userId: "bob",
      username: `Bob${"!".repeat(97)}`,
      status: "online",
    });
    expect(lastSeen).toMatch(/^2026-03-01T/);
  });

  it("X04 forgets the sockets of a crashed room and shows those who come back", async () => {
    const world = new World();
    const [alice] = [await world.connect("alice"), await world.connect("bob")];
    await world.advance(200);
    world.crash();
    expect(alice.closed?.code).toBe(1006);
    const back = await world.connect("alice");
    expect(back.last("room_joined").members.map(({ userId }) => userId)).toEqual(["alice"]);
  });
});
