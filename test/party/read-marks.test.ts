import { describe, expect, it } from "vitest";
import { UserId } from "../../protocol/ids.ts";
import { World } from "./world.ts";

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("read marks in $room", ({ sleepy }) => {
  it("has nothing unread for a newcomer: what was said before is not theirs to catch up with", async () => {
    const world = new World({ sleepy });
    const { app, channelId, store } = world;
    const alice = await world.connect("alice");
    await alice.post("before");
    await alice.post("also before");
    const bob = await world.connect("bob");
    await world.advance(3_000);
    expect(await store.countChannels(app, bob.userId)).toEqual({ channels: 1, unread: 0 });
    await alice.post("after");
    await world.advance(3_000);
    expect(await store.countChannels(app, bob.userId)).toEqual({ channels: 1, unread: 1 });
    expect(await store.findMember(app, channelId, bob.userId)).toMatchObject({ readSeq: 2 });
  });

  it.each(["named when the channel was made", "known to history and not to a room that lost its storage"])(
    "leaves unread what was said to a member who was %s",
    async (how) => {
      const world = new World({ channelId: "plans", sleepy });
      const { app, channelId, store } = world;
      const [creator, bob] = [UserId.parse("alice"), UserId.parse("bob")];
      const channel = { app, id: channelId, type: "messaging", name: "Plans", createdBy: creator, custom: {} } as const;
      await store.createChannel({ ...channel, members: [bob] });
      const alice = await world.connect("alice");
      for (const content of ["one", "two", "three"]) await alice.post(content);
      await world.advance(3_000);
      const after = how.startsWith("known") ? new World({ channelId: "plans", sleepy, store }) : world;
      const returning = await after.connect("bob");
      await after.advance(3_000);
      expect(await store.findMember(app, channelId, bob)).toMatchObject({ readSeq: 0 });
      await returning.say({ type: "read", roomId: "plans", seq: 3 });
      await after.advance(3_000);
      expect(await store.findMember(app, channelId, bob)).toMatchObject({ readSeq: 3 });
    },
  );

  it("tells who joins how far they have read on another device", async () => {
    const world = new World({ sleepy });
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await alice.post("one");
    await bob.say({ type: "read", seq: 1 });
    const phone = await world.connect("bob");
    expect(phone.all("read")).toEqual([{ type: "read", roomId: "lobby", userId: "bob", seq: 1 }]);
  });

  it("tells of read marks, never back, and keeps them", async () => {
    const world = new World({ sleepy });
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await alice.post("one");
    await alice.post("two");
    for (const seq of [2, 1, 99]) {
      await bob.say({ type: "read", roomId: "lobby", seq });
      await world.advance(100);
    }
    expect(alice.all("read")).toEqual([{ type: "read", roomId: "lobby", userId: "bob", seq: 2 }]);
    await world.advance(2_000);
    const { app, channelId, store } = world;
    expect(await store.findMember(app, channelId, bob.userId)).toMatchObject({ readSeq: 2 });
    await bob.leave();
    const back = await world.connect("bob");
    await back.say({ type: "read", seq: 1 });
    await world.advance(100);
    expect(alice.all("read")).toHaveLength(1);
  });
});
