import { describe, expect, it, vi } from "vitest";
import { LIMITS } from "../../protocol/limits.ts";
import { World } from "./world.ts";
import type { Client } from "./client.ts";
import { atOnce, seqs, upTo } from "./reading.ts";

const settings = { RATE_LIMIT_MAX_MESSAGES: 10_000 };

async function burst(world: World, client: Client, count: number): Promise<void> {
  for (let at = 1; at <= count; at++)
    await world.room.message(
      client.connection,
      `{"type":"message","content":"m${at}","clientMessageId":"${crypto.randomUUID()}"}`,
    );
  await world.advance(0);
}

describe("fan-out", () => {
  it("sends at once in a quiet room", async () => {
    const world = new World({ settings });
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob", { lines: true })];
    await alice.post("hello");
    expect(bob.all("message")).toHaveLength(1);
  });

  it("gathers for at most 15 ms in a busy room, for clients that speak lines", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice", { lines: true });
    const bob = await world.connect("bob", { lines: true });
    const plain = await world.connect("carol");
    await world.advance(1_000);
    const before = bob.connection.received.length;
    await burst(world, alice, 100);
    expect(plain.all("message")).toHaveLength(100);
    expect(bob.all("message").length).toBeLessThan(10);
    await world.advance(15);
    expect(seqs(bob)).toEqual(upTo(100));
    expect(bob.connection.received.length - before).toBeLessThan(10);
    expect(plain.connection.received.every((text) => !text.includes("\n"))).toBe(true);
  });

  it("writes the head once for all it takes together, in one transaction with them", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice", { lines: true });
    await burst(world, alice, 20);
    const put = vi.spyOn(world.platform.storage, "put");
    const keys = () => put.mock.calls.map(([key]) => key);
    world.platform.storage.hold();
    atOnce(world, alice, 50);
    await world.advance(0);
    expect(keys().filter((key) => key === "head")).toHaveLength(1);
    expect(keys().filter((key) => String(key).startsWith("m:"))).toHaveLength(50);
    const { durable } = world.platform.storage;
    expect(durable.get("head")).toMatchObject({ seq: 20 });
    world.platform.storage.crash(1);
    expect(durable.get("head")).toMatchObject({ seq: 70 });
    expect([...durable.keys()].filter((key) => key.startsWith("m:"))).toHaveLength(70);
  });

  it("goes on where the log ends when the head of a burst could not be written", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice", { lines: true });
    const { storage } = world.platform;
    const put = storage.put.bind(storage);
    vi.spyOn(storage, "put").mockImplementation((key, value?: unknown) => {
      if (key === "head") throw new Error("SQLITE_FULL");
      return typeof key === "string" ? put(key, value) : put(key);
    });
    await burst(world, alice, 60);
    await world.advance(15);
    expect(alice.all("ack")).toHaveLength(60);
    expect(storage.durable.get("head")).not.toMatchObject({ seq: 60 });
    vi.restoreAllMocks();
    world.crash();
    const bob = await world.connect("bob");
    expect(bob.last("room_joined")).toMatchObject({ seq: 60 });
    await world.advance(2_000);
    expect((await world.history()).map(({ seq }) => seq)).toEqual(upTo(60));
    await world.advance(26_000);
    expect(bob.last("heads")).toMatchObject({ rooms: { lobby: 60 } });
    expect(await bob.post("the next")).toMatchObject({ seq: 61 });
  });

  it("gathers longer for many, for whom a message is dear to send", async () => {
    const gathered = async (listeners: number) => {
      const world = new World({ settings });
      const crowd = await world.crowd(listeners);
      await world.advance(1_000);
      await burst(world, crowd[0]!, 20);
      await world.advance(15);
      atOnce(world, crowd[0]!, 100, "x".repeat(900));
      await world.advance(0);
      return crowd[1]!.all("message").length - 20;
    };
    expect(await gathered(2)).toBeGreaterThan(40);
    expect(await gathered(100)).toBeLessThan(10);
  });

  it("gathers what comes after a gathering that left early as long as any other", async () => {
    const world = new World({ settings });
    const [alice, bob] = [await world.connect("alice", { lines: true }), await world.connect("bob", { lines: true })];
    await world.advance(1_000);
    await burst(world, alice, 20);
    await world.advance(10);
    atOnce(world, alice, 80, "x".repeat(900)); // seventy are more than is gathered for two
    await world.advance(0);
    const seen = () => bob.all("message").length;
    const early = seen();
    expect(early).toBeGreaterThan(20);
    expect(early).toBeLessThan(100);
    await world.advance(14);
    expect(seen()).toBe(early);
    await world.advance(1);
    expect(seen()).toBe(100);
  });

  it("keeps a sender's acks and messages in order, and its client ids its own", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice", { lines: true });
    const bob = await world.connect("bob", { lines: true });
    await burst(world, alice, 30);
    await burst(world, bob, 30);
    await world.advance(15);
    expect(alice.all("ack").map(({ seq }) => seq)).toEqual(upTo(30));
    for (const client of [alice, bob]) {
      expect(seqs(client)).toEqual(upTo(60));
      const own = client.all("message").filter(({ clientMessageId }) => clientMessageId !== undefined);
      expect(own.every(({ userId }) => userId === client.userId) && own.length).toBe(30);
    }
  });

  it("F18 sends a frame that is gathered also when another socket turns out not to be heard of at it", async () => {
    const world = new World({ settings });
    const [silent, reader] = [await world.connect("silent"), await world.connect("reader", { lines: true })];
    const typing = (n: number) =>
      JSON.stringify({
        type: "typing_indicator",
        roomId: "lobby",
        userId: "bob",
        username: `${n}`.padStart(900),
        isTyping: true,
      });
    const lengthOf = () => silent.connection.received.reduce((sum, { length }) => sum + length, 0);
    let sent = 0;
    for (; lengthOf() <= LIMITS.unheardMaxChars; sent++) {
      world.room.fanOut.toAll(typing(sent));
      if (sent % 500 === 0) await reader.say({ type: "ping" });
    }
    await world.advance(20);
    expect(silent.closed).toEqual({ code: 4002, reason: "slow_consumer" });
    expect(reader.all("typing_indicator").map(({ username }) => Number(username))).toEqual(
      upTo(sent).map((n) => n - 1),
    );
  });

  it("gives somebody who joins in the middle of a gathering neither a hole nor a repeat", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice", { lines: true });
    await burst(world, alice, 20);
    const late = await world.connect("late", { lines: true });
    await burst(world, alice, 20);
    await world.advance(2_000);
    const { epoch } = alice.last("room_joined");
    expect(late.frames.filter(({ type }) => type === "room_joined" || type === "message")[0]?.type).toBe("room_joined");
    const seqs = [...late.last("room_joined").messages, ...late.all("message")].map(({ seq }) => seq);
    expect(seqs).toEqual([...new Set(seqs)]);
    expect(seqs.at(-1)).toBe(late.all("ack").length + alice.all("ack").length);
    expect(late.last("room_joined").epoch).toBe(epoch);
  });

  it("sends what was gathered before it closes a socket", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice", { lines: true });
    await burst(world, alice, 20);
    await alice.send(new ArrayBuffer(1));
    expect(alice.all("ack")).toHaveLength(20);
    expect(alice.closed?.code).toBe(4510);
  });

  it("goes on with the others when one socket is broken", async () => {
    const world = new World({ settings });
    const [alice, bob, carol] = [
      await world.connect("alice"),
      await world.connect("bob"),
      await world.connect("carol"),
    ];
    bob.connection.readyState = 3;
    await alice.post("hello");
    expect(carol.all("message")).toHaveLength(1);
    await world.advance(6_000);
    expect(carol.last("presence")).toMatchObject({ userId: "bob", status: "offline" });
  });
});

describe("frames that come in bursts", () => {
  it("are taken together in a busy room: stored in one go, in order, each acked", async () => {
    const world = new World({ settings });
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await world.advance(1_000);
    for (let at = 0; at < 60; at++)
      for (const { connection, userId } of [alice, bob])
        void world.room.message(connection, `{"type":"message","content":"${userId} ${at}"}`);
    expect(alice.all("ack").length).toBeLessThan(10);
    await world.advance(0);
    expect(alice.all("message").map(({ content }) => content)).toEqual(
      Array.from({ length: 120 }, (_, at) => `${at % 2 === 0 ? "alice" : "bob"} ${Math.floor(at / 2)}`),
    );
    expect([alice.all("ack"), bob.all("ack")].map(({ length }) => length)).toEqual([60, 60]);
  });

  it("are taken before the close of the socket they came on", async () => {
    const world = new World({ settings });
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    atOnce(world, alice, 30);
    await alice.leave();
    await world.advance(15);
    expect(bob.all("message")).toHaveLength(30);
  });
});
