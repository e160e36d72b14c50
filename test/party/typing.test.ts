import { describe, expect, it } from "vitest";
import type { Client } from "./client.ts";
import { World } from "./world.ts";

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("typing in $room", ({ sleepy }) => {
  it("tells of typing at once, and of its end after 6 s", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    const bob = await world.connect("bob", { name: "Bob" });
    await bob.say({ type: "typing", isTyping: true });
    const frame = { type: "typing_indicator", roomId: "lobby", userId: "bob", username: "Bob" };
    expect(alice.all("typing_indicator")).toEqual([{ ...frame, isTyping: true }]);
    await world.advance(5_900);
    expect(alice.all("typing_indicator")).toHaveLength(1);
    await world.advance(200);
    expect(alice.all("typing_indicator")).toEqual([
      { ...frame, isTyping: true },
      { ...frame, isTyping: false },
    ]);
    expect(bob.all("typing_indicator")).toEqual([]);
  });

  it.each([
    ["sends", (bob: Client) => bob.post("done")],
    ["leaves the room", (bob: Client) => bob.say({ type: "leave_room", roomId: "lobby" })],
    ["closes", (bob: Client) => bob.leave()],
  ])("ends typing when its user %s", async (_what, act) => {
    const world = new World({ sleepy });
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await bob.say({ type: "typing", isTyping: true });
    await world.advance(1_000);
    await act(bob);
    await world.advance(100);
    expect(alice.all("typing_indicator").map(({ isTyping }) => isTyping)).toEqual([true, false]);
  });
});

describe("typing", () => {
  it("X07 tells of one user's typing at most once a second, and of the newest state in the end", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    for (let at = 0; at < 100; at++) {
      await bob.say({ type: "typing", isTyping: at % 2 === 0 });
      await world.advance(30);
    }
    await world.advance(2_000);
    const told = alice.all("typing_indicator").map(({ isTyping }) => isTyping);
    expect(told.length).toBeLessThanOrEqual(5);
    expect(told.at(-1)).toBe(false);
  });

  it("X07 tells of twenty who are typing and no more", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    for (const client of await world.crowd(25)) await client.say({ type: "typing", isTyping: true });
    await world.advance(100);
    expect(new Set(alice.all("typing_indicator").map(({ userId }) => userId)).size).toBe(20);
  });

  it("X08 neither keeps typing nor tells somebody of it who comes later or has left", async () => {
    const world = new World();
    const [alice, bob, dave] = [await world.connect("alice"), await world.connect("bob"), await world.connect("dave")];
    await alice.say({ type: "leave_room", roomId: "lobby" });
    await bob.say({ type: "typing", isTyping: true });
    const carol = await world.connect("carol");
    await world.advance(100);
    expect(dave.all("typing_indicator")).toMatchObject([{ userId: "bob", isTyping: true }]);
    expect([...alice.all("typing_indicator"), ...carol.all("typing_indicator")]).toEqual([]);
    expect(carol.last("room_joined").messages).toEqual([]);
    expect([...world.platform.storage.durable.keys()].filter((key) => key.includes("typ"))).toEqual([]);
  });
});
