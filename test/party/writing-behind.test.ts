import { describe, expect, it, vi } from "vitest";
import { createMemoryStore } from "../support/memory-store.ts";
import { createFlakyStore } from "./flaky-store.ts";
import { settle, World } from "./world.ts";

const settings = { RATE_LIMIT_MAX_MESSAGES: 100_000 };

describe("what a room in memory hands over", () => {
  it("is not read back from storage", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice");
    const list = vi.spyOn(world.platform.storage, "list");
    for (let at = 1; at <= 150; at++) await alice.say({ type: "message", content: `m${at}` });
    await world.advance(2_000);
    expect(await world.history()).toHaveLength(150);
    expect(list.mock.calls.filter(([{ prefix }]) => prefix === "m:")).toEqual([]);
  });

  it("goes as soon as there is a full batch, and on until there is none", async () => {
    const control = createFlakyStore();
    const world = new World({ settings, store: control.store });
    const alice = await world.connect("alice");
    for (let at = 1; at <= 199; at++) await alice.say({ type: "message", content: `m${at}` });
    await world.advance(1);
    expect(await world.history()).toHaveLength(0);
    for (let at = 200; at <= 900; at++)
      await world.room.message(alice.connection, `{"type":"message","content":"m${at}"}`);
    await world.advance(1);
    expect((await world.history()).length).toBeGreaterThanOrEqual(800);
    const most = Math.max(...control.batches.map(({ events }) => events.length));
    expect(most).toBeGreaterThan(200);
    expect(most).toBeLessThanOrEqual(500);
  });

  it("is no more than there is room for in memory: the rest is read back, and all arrives in order", async () => {
    const memory = createMemoryStore();
    const { promise: isBack, resolve: comeBack } = Promise.withResolvers<void>();
    const writeBatch: typeof memory.writeBatch = async (batch) => isBack.then(() => memory.writeBatch(batch));
    const world = new World({ settings, store: { ...memory, writeBatch } });
    const alice = await world.connect("alice");
    const contents = Array.from({ length: 3_000 }, (_, at) => `m${at}`);
    for (const content of contents)
      await world.room.message(alice.connection, JSON.stringify({ type: "message", content }));
    await world.advance(500);
    const list = vi.spyOn(world.platform.storage, "list");
    comeBack();
    await world.advance(2_000);
    expect((await world.history()).map(({ content }) => content)).toEqual(contents);
    const reads = list.mock.calls.filter(([{ prefix }]) => prefix === "m:");
    expect(reads.length).toBeGreaterThan(0);
    expect(reads.length).toBeLessThan(3_000 / 200);
  });
});

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("writing behind, in $room", ({ sleepy }) => {
  it("has everything in history within 2 s, members and read marks too", async () => {
    const world = new World({ sleepy, settings });
    const alice = await world.connect("alice");
    for (let at = 1; at <= 450; at++) await alice.say({ type: "message", content: `m${at}` });
    await world.advance(2_000);
    expect(await world.history()).toHaveLength(450);
    expect(world.room.outbox.nextAt()).toBeUndefined();
  });

  it("D01 acks on while Postgres is down, and drains in order once it is back", async () => {
    const control = createFlakyStore();
    const world = new World({ sleepy, settings, store: control.store });
    const alice = await world.connect("alice");
    control.mode = "down";
    for (let at = 1; at <= 300; at++) {
      expect(await alice.post(`m${at}`)).toMatchObject({ type: "ack", seq: at });
      await world.advance(1_000);
      await alice.say({ type: "ping" });
    }
    expect(await world.history()).toEqual([]);
    expect(control.batches.length).toBeLessThan(40);
    control.mode = "up";
    await world.advance(31_000);
    expect((await world.history()).map(({ seq }) => seq)).toEqual(Array.from({ length: 300 }, (_, at) => at + 1));
    expect(Math.max(...control.batches.map(({ events }) => events.length))).toBeLessThanOrEqual(200);
  });

  it("D03 writes again what was committed without an answer, and history has it once", async () => {
    const control = createFlakyStore();
    const world = new World({ sleepy, store: control.store });
    const alice = await world.connect("alice");
    control.mode = "answer lost";
    await alice.post("hello");
    await world.advance(3_000);
    control.mode = "up";
    await world.advance(10_000);
    expect(control.batches.length).toBeGreaterThan(1);
    expect(await world.history()).toEqual([{ seq: 1, content: "hello" }]);
  });

  it("asks nobody between a message and its ack: everything beyond the room may hang", async () => {
    const store = createMemoryStore();
    const world = new World({ sleepy, store, moderation: true, settings: { RATE_LIMIT_MAX_MESSAGES: 2 } });
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await world.order({ order: "mute", userId: "bob", until: null });
    const hangs = () => new Promise<never>(() => {});
    for (const name of Object.keys(store)) Object.assign(store, { [name]: hangs });
    world.deps.board.reportPresence = hangs;
    await world.advance(70_000); // the lists of the content filter are due to be read again
    const answers = [];
    for (const content of ["one", "two", "three"]) answers.push(await alice.post(content));
    expect(answers).toMatchObject([{ seq: 1 }, { seq: 2 }, { code: "rate_limited" }]);
    expect(await bob.post("psst")).toMatchObject({ type: "error", code: "muted" });
    await bob.say({ type: "leave_room", roomId: "lobby" });
    expect(await bob.post("hello?")).toMatchObject({ type: "error", code: "forbidden" });
  });

  it("D15 writes what is due although the alarm for it was lost, once anything wakes the room", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    await world.advance(3_000);
    await alice.post("hello");
    world.platform.storage.alarmAt = null;
    await world.sleep();
    await alice.say({ type: "ping" });
    await world.advance(2_000);
    expect(await world.history()).toEqual([{ seq: 1, content: "hello" }]);
  });

  it("D15 does no harm when an alarm rings twice or late", async () => {
    const control = createFlakyStore();
    const world = new World({ sleepy, store: control.store });
    const alice = await world.connect("alice");
    await alice.post("hello");
    await Promise.all([world.room.alarm(), world.room.alarm()]);
    await world.advance(60_000);
    await world.room.alarm();
    await settle();
    expect(await world.history()).toEqual([{ seq: 1, content: "hello" }]);
    expect(control.most).toBe(1);
  });
});

describe("writing behind", () => {
  it("D02 has one write in flight however slow it is, and acks meanwhile", async () => {
    const control = createFlakyStore();
    const world = new World({ settings, store: control.store });
    const alice = await world.connect("alice");
    await world.advance(3_000);
    control.mode = "hanging";
    for (let at = 1; at <= 20; at++) {
      expect(await alice.post(`m${at}`)).toMatchObject({ type: "ack" });
      await world.advance(1_000);
    }
    expect(control.most).toBe(1);
    control.mode = "up";
    await world.advance(70_000);
    expect(await world.history()).toHaveLength(20);
  });

  it("D04 refuses past 10,000 events that history does not have, and loses none of them", async () => {
    const control = createFlakyStore();
    const world = new World({ settings, store: control.store });
    const alice = await world.connect("alice");
    control.mode = "down";
    for (let at = 1; at <= 10_000; at++)
      await world.room.message(alice.connection, `{"type":"message","content":"m${at}"}`);
    await world.advance(0);
    const refusal = await alice.post("one too many");
    expect(refusal).toMatchObject({ type: "error", code: "history_backlog" });
    expect("retryAfterMs" in refusal && refusal.retryAfterMs).toBeGreaterThan(0);
    const { epoch = "" } = world.room.life?.identity ?? {};
    const reader = await world.connect("reader", { since: `${epoch}.9990` });
    expect(reader.last("room_joined")).toMatchObject({ recovered: true, seq: 10_000 });
    const tail = await world.request("tail?after=5000&limit=2", await world.token("alice", { kind: "internal" }));
    expect(await tail.json()).toMatchObject({ storedSeq: 0, events: [{ content: "m5001" }, { content: "m5002" }] });
    control.mode = "up";
    await world.advance(90_000);
    expect(await world.history()).toHaveLength(10_000);
    expect(await (await world.connect("bob")).post("now it goes")).toMatchObject({ type: "ack", seq: 10_001 });
  });

  it("D04 refuses when history has failed for a day, and not because the clock says so", async () => {
    const control = createFlakyStore();
    const world = new World({ store: control.store });
    const alice = await world.connect("alice", { lifeMs: 300_000_000 });
    control.mode = "down";
    await alice.post("hello");
    await world.advance(3_600_000);
    world.now += 24 * 3_600_000;
    await world.advance(60_000);
    expect(await alice.post("an hour later")).toMatchObject({ type: "ack" });
    await world.advance(23 * 3_600_000);
    expect(await alice.post("a day later")).toMatchObject({ type: "error", code: "history_backlog" });
    control.mode = "up";
    await world.advance(40_000);
    expect(await alice.post("two days later")).toMatchObject({ type: "ack", seq: 3 });
  });

  it("D05 sets aside what comes too late for its seq, with or without its client id", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    const [epoch, id] = ["another-epoch", "another-id"];
    const event = {
      seq: 1,
      epoch,
      kind: "message",
      id,
      userId: alice.userId,
      username: "Alice",
      at: world.now,
    } as const;
    const { app, channelId } = world;
    const events = [{ ...event, clientMessageId: null, content: "there already" }];
    await world.store.writeBatch({ app, channelId, events, members: [], reads: [] });
    for (const content of ["too late", "in time"]) await alice.post(content);
    await world.advance(2_000);
    expect(await world.history()).toEqual([
      { seq: 1, content: "there already" },
      { seq: 2, content: "in time" },
    ]);
    expect(world.platform.storage.keys("bad:")).toHaveLength(1);
  });

  it("keeps little more than 10,000 events once history has them, and the last ones however old they are", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice", { lifeMs: 500_000_000 });
    for (let half = 0; half < 2; half++) {
      for (let at = 1; at <= 5_150; at++)
        await world.room.message(alice.connection, `{"type":"message","content":"m${at}"}`);
      await world.advance(40_000);
      await alice.say({ type: "ping" });
    }
    expect(world.platform.storage.keys("m:").length).toBeLessThanOrEqual(10_250);
    await alice.say({ type: "ping" });
    world.now += 73 * 3_600_000;
    await alice.post("days later");
    await world.advance(30_000);
    const left = world.platform.storage.keys("m:");
    expect(left.length).toBeGreaterThanOrEqual(500);
    expect(left.length).toBeLessThan(600);
    await world.sleep();
    expect((await world.connect("bob")).last("room_joined")).toMatchObject({ seq: 10_301 });
  });
});
