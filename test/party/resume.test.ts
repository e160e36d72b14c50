import { describe, expect, it } from "vitest";
import { World } from "./world.ts";
import type { Client } from "./client.ts";

const settings = { RATE_LIMIT_MAX_MESSAGES: 10_000 };

async function fill(client: Client, count: number, content = "m"): Promise<void> {
  for (let at = 1; at <= count; at++) await client.say({ type: "message", content: `${content}${at}` });
}

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("resuming in $room", ({ sleepy }) => {
  it("gives a newcomer the last fifty", async () => {
    const world = new World({ sleepy, settings });
    await fill(await world.connect("alice"), 60);
    const { messages, seq, recovered } = (await world.connect("bob")).last("room_joined");
    expect(messages.map((message) => message.seq)).toEqual(Array.from({ length: 50 }, (_, at) => at + 11));
    expect({ seq, recovered }).toEqual({ seq: 60, recovered: false });
  });

  it("gives exactly what was missed, then what is new, without a hole or a repeat", async () => {
    const world = new World({ sleepy, settings });
    const alice = await world.connect("alice");
    const bob = await world.connect("bob");
    const { epoch } = bob.last("room_joined");
    await fill(alice, 3);
    await bob.leave();
    await fill(alice, 4);
    const back = await world.connect("bob", { since: `${epoch}.3` });
    await fill(alice, 2);
    const seqs = [...back.last("room_joined").messages, ...back.all("message")].map(({ seq }) => seq);
    expect(seqs).toEqual([4, 5, 6, 7, 8, 9]);
    expect(back.last("room_joined").recovered).toBe(true);
    expect(back.frames.findIndex(({ type }) => type === "room_joined")).toBeLessThan(
      back.frames.findIndex(({ type }) => type === "message"),
    );
  });

  it("says so when nothing was missed", async () => {
    const world = new World({ sleepy, settings });
    const alice = await world.connect("alice");
    await fill(alice, 3);
    const { epoch } = alice.last("room_joined");
    expect((await world.connect("bob", { since: `${epoch}.3` })).last("room_joined")).toMatchObject({
      messages: [],
      recovered: true,
    });
  });

  it("gives authors their own client ids back and nobody else's", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    await alice.post("hello", "cid-000001");
    expect((await world.connect("alice")).last("room_joined").messages[0]).toMatchObject({
      clientMessageId: "cid-000001",
    });
    expect((await world.connect("bob")).last("room_joined").messages[0]).not.toHaveProperty("clientMessageId");
  });

  it("I10 never pretends: another epoch, a position ahead and a gap too long get the last fifty and recovered:false", async () => {
    const world = new World({ sleepy, settings });
    const alice = await world.connect("alice");
    const { epoch } = alice.last("room_joined");
    await fill(alice, 5);
    for (const since of ["0123456789abcdef.2", `${epoch}.6`]) {
      const joined = (await world.connect("bob", { since })).last("room_joined");
      expect(joined).toMatchObject({ seq: 5, recovered: false });
      expect(joined.messages).toHaveLength(5);
    }
  });
});

describe("resuming", () => {
  it("I14 replays at most 500 events", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice");
    const { epoch } = alice.last("room_joined");
    await fill(alice, 501);
    expect((await world.connect("bob", { since: `${epoch}.1` })).last("room_joined")).toMatchObject({
      recovered: true,
    });
    const late = (await world.connect("carol", { since: `${epoch}.0` })).last("room_joined");
    expect(late.recovered).toBe(false);
    expect(late.messages).toHaveLength(50);
  });

  it("I14 replays at most 256 KiB", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice");
    const { epoch } = alice.last("room_joined");
    await fill(alice, 100, "€".repeat(990));
    const { messages, recovered } = (await world.connect("bob", { since: `${epoch}.0` })).last("room_joined");
    expect(recovered).toBe(false);
    expect(JSON.stringify(messages).length).toBeLessThan(256 * 1024);
    expect((await world.connect("carol", { since: `${epoch}.50` })).last("room_joined").recovered).toBe(true);
  });

  it("I11 tells idle sockets the newest seq every 25 s, and costs a sleeping room few reads", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice");
    const bob = await world.connect("bob");
    await fill(alice, 20);
    await world.advance(60_000);
    expect(bob.all("heads").length).toBeGreaterThanOrEqual(2);
    expect(bob.last("heads")).toEqual({ type: "heads", rooms: { lobby: 20 } });
    await world.sleep();
    world.platform.storage.reads = 0;
    const before = bob.all("heads").length;
    await world.advance(25_000);
    expect(bob.all("heads").length).toBeGreaterThan(before);
    expect(world.platform.storage.reads).toBeLessThan(10);
  });

  it("tells nobody anything in an empty room: no alarm is left", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    await alice.post("hello");
    await alice.leave();
    await world.advance(180_000);
    expect(world.platform.storage.alarmAt).toBeNull();
  });
});
