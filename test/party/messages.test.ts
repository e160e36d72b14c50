import { describe, expect, it } from "vitest";
import type { Client } from "./client.ts";
import { World } from "./world.ts";

/** Says the same so many times at once, and lets the room answer. */
async function repeat(world: World, { connection }: Client, frame: string, times: number): Promise<void> {
  for (let said = 0; said < times; said++) await world.room.message(connection, frame);
  await world.advance(0);
}

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("messages in $room", ({ sleepy }) => {
  it("I04 acks a message and tells everybody, the client id only to its author", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice", { name: "Alice" });
    const bob = await world.connect("bob");
    const ack = await alice.post("hello", "cid-000001");
    expect(ack).toMatchObject({
      type: "ack",
      roomId: "lobby",
      clientMessageId: "cid-000001",
      seq: 1,
      duplicate: false,
    });
    const heard = { content: "hello", userId: "alice", username: "Alice", seq: 1, roomId: "lobby" };
    expect(alice.all("message")).toMatchObject([{ ...heard, clientMessageId: "cid-000001" }]);
    expect(bob.all("message")).toMatchObject([heard]);
    expect(bob.last("message")).not.toHaveProperty("clientMessageId");
  });

  it("acks a message without a client id", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    await alice.say({ type: "message", content: "hello" });
    expect(alice.last("ack")).toMatchObject({ seq: 1, duplicate: false });
    expect(alice.last("ack")).not.toHaveProperty("clientMessageId");
  });

  it("I01 refuses no message by its id that may be stored: not to somebody who has left the room", async () => {
    const alice = await new World({ sleepy }).connect("alice");
    await alice.post("hello", "cid-000001");
    await alice.say({ type: "leave_room", roomId: "lobby" });
    const refusal = await alice.post("hello", "cid-000001");
    expect(refusal).toMatchObject({ type: "error", code: "forbidden", roomId: "lobby" });
    expect(refusal).not.toHaveProperty("clientMessageId");
  });

  it("I01 answers a retry with the same seq, broadcasts once and writes one row", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    const bob = await world.connect("bob");
    const first = await alice.post("hello", "cid-000001");
    const again = await alice.post("hello", "cid-000001");
    expect(again).toEqual({ ...first, duplicate: true });
    expect(bob.all("message")).toHaveLength(1);
    await world.advance(2_000);
    expect(await world.history()).toEqual([{ seq: 1, content: "hello" }]);
  });

  it("I02 refuses the same client id with other content and keeps the original", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    await alice.post("hello", "cid-000001");
    expect(await alice.post("goodbye", "cid-000001")).toMatchObject({
      type: "error",
      code: "duplicate_conflict",
      clientMessageId: "cid-000001",
    });
    expect(await alice.post("hello", "cid-000001")).toMatchObject({ seq: 1, duplicate: true });
  });

  it("I03 I04 takes another user's client id for another message", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    const bob = await world.connect("bob");
    await alice.post("hello", "cid-000001");
    expect(await bob.post("hello", "cid-000001")).toMatchObject({ type: "ack", seq: 2, duplicate: false });
  });

  it.each([
    ["too long", "c".repeat(65)],
    ["too short", "c"],
    ["unicode", "ünïcödé1"],
    ["empty", ""],
    ["an object", { a: 1 }],
  ])("I05 refuses a client id that is %s", async (_what, clientMessageId) => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    await alice.say({ type: "message", content: "hello", clientMessageId });
    expect(alice.last("error")).toMatchObject({ code: "bad_frame" });
    expect(alice.all("ack")).toEqual([]);
  });

  it("I07 gives one seq to one client id that races on two sockets", async () => {
    const world = new World({ sleepy });
    const [one, two] = [await world.connect("alice"), await world.connect("alice")];
    const frame = { type: "message", content: "hello", clientMessageId: "cid-000001" };
    await Promise.all([one.say(frame), two.say(frame)]);
    expect([one.last("ack").seq, two.last("ack").seq]).toEqual([1, 1]);
    expect(one.last("ack").duplicate).not.toBe(two.last("ack").duplicate);
    expect(one.all("message")).toHaveLength(1);
  });

  it("I09 keeps times rising when the clock goes back", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    await alice.post("one");
    world.now -= 3_600_000;
    await alice.post("two");
    const [one, two] = alice.all("message");
    expect(Date.parse(two?.timestamp ?? "")).toBeGreaterThan(Date.parse(one?.timestamp ?? ""));
  });

  it("F17 limits a user, all sockets together, and says when to come back", async () => {
    const world = new World({ sleepy, settings: { RATE_LIMIT_MAX_MESSAGES: 3 } });
    const [one, two] = [await world.connect("alice"), await world.connect("alice")];
    const bob = await world.connect("bob");
    for (const client of [one, two, one]) expect(await client.post("hello")).toMatchObject({ type: "ack" });
    const refusal = await two.post("hello");
    expect(refusal).toMatchObject({ type: "error", code: "rate_limited" });
    expect("retryAfterMs" in refusal && refusal.retryAfterMs).toBeGreaterThan(55_000);
    expect(await bob.post("hello")).toMatchObject({ type: "ack" });
    await world.advance(60_001);
    const back = await world.connect("alice");
    expect(await back.post("hello")).toMatchObject({ type: "ack" });
  });

  it("answers a retry even when its sender is over the limit", async () => {
    const world = new World({ sleepy, settings: { RATE_LIMIT_MAX_MESSAGES: 1 } });
    const alice = await world.connect("alice");
    await alice.post("hello", "cid-000001");
    expect(await alice.post("hello", "cid-000001")).toMatchObject({ type: "ack", duplicate: true });
  });

  it("M01 keeps markup exactly as it was written", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    const content = `<img src=x onerror="alert(1)"> [x](javascript:alert(1))`;
    await alice.post(content);
    expect(alice.last("message").content).toBe(content);
  });

  it.each([["timestamp of the future", { timestamp: "2099-01-01T00:00:00Z" }]])(
    "M10 ignores a client's %s",
    async (_what, extra) => {
      const world = new World({ sleepy });
      const alice = await world.connect("alice");
      await alice.say({ type: "message", content: "hello", ...extra });
      expect(Date.parse(alice.last("message").timestamp)).toBeLessThan(world.now + 1_000);
    },
  );

  it.each(["userId", "username", "seq", "messageId", "id", "mentions"])(
    "M10 M11 refuses a message with a %s of its own",
    async (field) => {
      const world = new World({ sleepy });
      const alice = await world.connect("alice");
      await alice.say({ type: "message", content: "hello", [field]: "mallory" });
      expect(alice.last("error")).toMatchObject({ code: "bad_frame" });
    },
  );
});

describe("messages", () => {
  it("I08 numbers pipelined messages in the order they were sent", async () => {
    const world = new World({ settings: { RATE_LIMIT_MAX_MESSAGES: 1_000 } });
    const alice = await world.connect("alice");
    const posts = Array.from({ length: 100 }, (_, at) => ({
      type: "message",
      content: `m${at}`,
      clientMessageId: `cid-${1000 + at}`,
    }));
    await Promise.all(posts.map((frame) => alice.say(frame)));
    expect(alice.all("ack").map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    expect(alice.all("message").map(({ content }) => content)).toEqual(posts.map(({ content }) => content));
  });

  it("I08 keeps the order of what came while the room was waking", async () => {
    const world = new World({ settings: { RATE_LIMIT_MAX_MESSAGES: 1_000 } });
    const alice = await world.connect("alice", { lines: true });
    await alice.post("first");
    await world.sleep();
    await Promise.all([
      alice.send(`{"type":"message","content":"a"}\n{"type":"message","content":"b"}`),
      alice.say({ type: "message", content: "c" }),
    ]);
    expect(alice.all("message").map(({ content }) => content)).toEqual(["first", "a", "b", "c"]);
  });

  it("F16 refuses a flood with a time to come back, closes it at the 301st refusal, and still takes the others' messages", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    const flood = async (times: number) => {
      for (let sent = 0; sent < times; sent++)
        await world.room.message(alice.connection, `{"type":"message","content":"x"}`);
      await world.advance(0);
    };
    await flood(330);
    expect([alice.all("ack").length, alice.closed]).toEqual([30, undefined]);
    expect(alice.all("error")).toHaveLength(300);
    for (const { code, retryAfterMs } of alice.all("error"))
      expect([code, retryAfterMs]).toEqual(["rate_limited", expect.toSatisfy((ms: number) => ms > 0 && ms <= 60_000)]);
    await flood(1);
    expect(alice.closed).toEqual({ code: 4029, reason: "rate_limited" });
    expect(await bob.post("still here")).toMatchObject({ type: "ack", seq: 31 });
  });

  it.each([
    ["pings", { type: "ping" }],
    ["the same message again", { type: "message", content: "x", clientMessageId: "cid-000001" }],
    ["signs of typing", { type: "typing", isTyping: true }],
    ["marks", { type: "read", seq: 1 }],
    ["leaves", { type: "leave_room", roomId: "lobby" }],
  ])("F16 closes with 4029 a socket that sends %s without end, and answers 600 a minute", async (_what, frame) => {
    const world = new World();
    const [mallory, bob] = [await world.connect("mallory"), await world.connect("bob")];
    const flood = (times: number) => repeat(world, mallory, JSON.stringify(frame), times);
    await flood(600);
    expect(mallory.closed).toBeUndefined();
    await world.advance(10_000);
    await flood(100);
    expect(mallory.closed).toBeUndefined();
    await flood(1);
    expect(mallory.closed).toEqual({ code: 4029, reason: "rate_limited" });
    expect(await bob.post("still here")).toMatchObject({ type: "ack" });
  });

  it("F16 counts no receipts, which a reader in a full room sends all the time, however they are written", async () => {
    const world = new World();
    const reader = await world.connect("reader");
    for (let seq = 0; seq < 1_000; seq++) {
      await world.room.message(reader.connection, JSON.stringify({ type: "received", roomId: "lobby", seq }));
      await world.room.message(reader.connection, `{"seq": ${seq}, "type": "received"}`);
    }
    await reader.say({ type: "ping" });
    expect([reader.all("pong").length, reader.closed]).toEqual([1, undefined]);
  });

  it("F16 takes a frame for what it is, and not for how its text begins", async () => {
    const world = new World();
    const mallory = await world.connect("mallory");
    await repeat(world, mallory, `{"type":"received","type":"ping"}`, 601);
    expect(mallory.closed).toEqual({ code: 4029, reason: "rate_limited" });
  });

  it.each([
    ["an hour", 3_600_000, 1_200],
    ["a second", 1_000, 36_000],
  ])("F16 counts by the minute where messages are counted by %s", async (_what, windowMs, most) => {
    const world = new World({ settings: { RATE_LIMIT_WINDOW_MS: windowMs, RATE_LIMIT_MAX_MESSAGES: 30 } });
    const typist = await world.connect("typist");
    const say = (times: number) => repeat(world, typist, `{"type":"ping"}`, times);
    await say(600);
    expect(typist.closed).toBeUndefined();
    await world.advance(30_000);
    await say(300);
    expect(typist.closed).toBeUndefined();
    await say(most);
    expect(typist.closed).toEqual({ code: 4029, reason: "rate_limited" });
  });
});
