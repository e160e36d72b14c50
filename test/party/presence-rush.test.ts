import { describe, expect, it } from "vitest";
import { World } from "./world.ts";
import type { Client } from "./client.ts";

const PRESENCE = new Set(["presence", "presence_changes", "presence_count"]);

/** So many people, one after the other, evenly over this time. */
async function join(world: World, people: number, overMs: number): Promise<Client[]> {
  const clients = [];
  for (let at = 0; at < people; at++) {
    clients.push(await world.connect(`user-${at}`));
    await world.advance(overMs / people);
  }
  return clients;
}

const presenceFrames = ({ frames }: Client) => frames.filter(({ type }) => PRESENCE.has(type));

/** Who a client believes to be there, from nothing but what it was sent. */
function believed(client: Client): string[] {
  const online = new Set<string>();
  for (const frame of client.frames) {
    if (frame.type === "room_joined") for (const { userId } of frame.members) online.add(userId);
    const changes = frame.type === "presence" ? [frame] : frame.type === "presence_changes" ? frame.changes : [];
    for (const { userId, status } of changes)
      if (status === "online") online.add(userId);
      else online.delete(userId);
  }
  return [...online].toSorted();
}

describe("a rush of presence", () => {
  it.each([0, 1_000, 3_000, 6_000, 10_000])(
    "X06 costs each of five hundred people who join within %i ms at most three frames",
    async (overMs) => {
      const world = new World();
      const clients = await join(world, 500, overMs);
      await world.advance(10_000);
      const received = clients.reduce((sum, client) => sum + presenceFrames(client).length, 0);
      expect(received / clients.length).toBeLessThanOrEqual(3);
      expect(clients[0]?.last("presence_count").memberCount).toBe(500);
    },
  );

  it("tells a few changes singly and many in one frame, with everybody right in the end", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    await world.advance(1_000);
    await join(world, 3, 0);
    await world.advance(100);
    expect(alice.all("presence")).toHaveLength(3);
    expect(alice.all("presence_changes")).toEqual([]);
    for (const user of ["bob", "carol", "dave", "erin"]) await world.connect(user);
    await world.advance(100);
    expect(alice.all("presence")).toHaveLength(3);
    expect(alice.last("presence_changes")).toMatchObject({ roomId: "lobby", memberCount: 8 });
    expect(alice.last("presence_changes").changes.map(({ userId, status }) => `${userId} ${status}`)).toEqual([
      "bob online",
      "carol online",
      "dave online",
      "erin online",
    ]);
  });

  it("tells of a hundred who leave within five seconds in less than half as many frames, and of nobody who stayed", async () => {
    const world = new World();
    const clients = await join(world, 120, 1_000);
    await world.advance(10_000);
    const [alice] = clients;
    const before = presenceFrames(alice as Client).length; // there are 120
    for (const client of clients.slice(20)) {
      await client.leave();
      await world.advance(50);
    }
    await world.advance(20_000);
    expect(presenceFrames(alice as Client).length - before).toBeLessThan(50);
    expect(believed(alice as Client)).toEqual(
      clients
        .slice(0, 20)
        .map(({ userId }) => userId)
        .toSorted(),
    );
  });

  it("is over a second later: then a single change is told after 100 ms again", async () => {
    const world = new World();
    const [alice] = await join(world, 150, 500);
    await world.advance(6_000);
    await world.connect("late");
    await world.advance(100);
    expect((alice as Client).last("presence").userId).toBe("late");
  });

  it("X02 tells of somebody who leaves and joins ten times a second at most once a second, and the truth in the end", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await world.advance(2_000);
    const before = presenceFrames(alice).length;
    for (let flap = 0; flap < 50; flap++) {
      await bob.say({ type: "leave_room", roomId: "lobby" });
      await world.advance(50);
      await bob.say({ type: "join_room", roomId: "lobby" });
      await world.advance(50);
    }
    await bob.say({ type: "leave_room", roomId: "lobby" });
    await world.advance(3_000);
    expect(presenceFrames(alice).length - before).toBeLessThanOrEqual(8);
    expect(alice.last("presence")).toMatchObject({ userId: "bob", status: "offline" });
  });
});
