import { describe, expect, it } from "vitest";
import type { Store } from "../../domain/ports/store.ts";
import { UserId } from "../../protocol/ids.ts";
import type { Client } from "./client.ts";
import { World } from "./world.ts";

const settings = { RATE_LIMIT_MAX_MESSAGES: 10_000 };

/** What the store is asked from now on, by name. */
function questionsTo(store: Store): string[] {
  const asked: string[] = [];
  for (const [name, method] of Object.entries(store))
    Object.assign(store, {
      [name]: (...given: unknown[]) => {
        asked.push(name);
        return (method as (...given: unknown[]) => unknown)(...given);
      },
    });
  return asked;
}

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

  it("I04 gives authors their own client ids back and nobody else's", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    await alice.post("hello", "cid-000001");
    expect((await world.connect("alice")).last("room_joined").messages[0]).toMatchObject({
      clientMessageId: "cid-000001",
    });
    expect((await world.connect("bob")).last("room_joined").messages[0]).not.toHaveProperty("clientMessageId");
  });

  it("I10 never pretends: another epoch and a position ahead get the last fifty and recovered:false, also on an open socket", async () => {
    const world = new World({ sleepy, settings });
    const alice = await world.connect("alice");
    const { epoch } = alice.last("room_joined");
    await fill(alice, 52);
    for (const since of ["0123456789abcdef.51", `${epoch}.53`]) {
      const bob = await world.connect("bob", { since });
      const [other = "", seq] = since.split(".");
      await bob.say({ type: "join_room", roomId: "lobby", since: { epoch: other, seq: Number(seq) } });
      const joins = bob.all("room_joined");
      expect(joins).toHaveLength(2);
      for (const joined of joins) {
        expect(joined).toMatchObject({ epoch, seq: 52, recovered: false });
        expect(joined.messages.map((message) => message.seq)).toEqual(Array.from({ length: 50 }, (_, at) => at + 3));
      }
    }
  });

  it("I13 resumes a crowd that comes back after a crash without one question to Postgres", async () => {
    const world = new World({ sleepy, settings });
    const names = Array.from({ length: 50 }, (_, at) => `user-${at}`);
    const crowd = [];
    for (const name of names) crowd.push(await world.connect(name));
    const { epoch } = crowd[0]!.last("room_joined");
    await fill(crowd[0]!, 3);
    await world.advance(3_000);
    world.crash();
    const asked = questionsTo(world.store);
    const back = await Promise.all(names.map((name) => world.connect(name, { since: `${epoch}.1` })));
    for (const client of back) {
      expect(client.last("room_joined")).toMatchObject({ recovered: true, seq: 3 });
      expect(client.last("room_joined").messages.map(({ seq }) => seq)).toEqual([2, 3]);
    }
    await world.advance(30_000);
    expect(asked).toEqual([]);
  });
});

describe("resuming", () => {
  it("I10 I14 replays at most 500 events, and says so when that is not all", async () => {
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

  it("D13 goes on with sockets and storage as the version before has left them", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await alice.post("before", "cid-000001");
    await world.advance(3_000);
    for (const { connection } of [alice, bob]) {
      const { issuedAt: _, notBefore: __, mutedUntil: ___, ...older } = connection.state as Record<string, unknown>;
      connection.setState(older);
    }
    await world.platform.storage.put({ outbox: { storedSeq: 1, failures: 0, nextTryAt: 0 }, "due:mem:carol": true });
    await world.sleep();
    expect(await alice.post("before", "cid-000001")).toMatchObject({ seq: 1, duplicate: true });
    expect(await alice.post("after")).toMatchObject({ type: "ack", seq: 2 });
    expect(bob.last("message").content).toBe("after");
    await world.advance(3_000);
    expect((await world.history()).map(({ content }) => content)).toEqual(["before", "after"]);
    expect(await world.store.findMember(world.app, world.channelId, UserId.parse("carol"))).toBeDefined();
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
