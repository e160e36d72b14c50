import { afterEach, describe, expect, it, vi } from "vitest";
import type { Store } from "../../domain/ports/store.ts";
import { BatchRefused } from "../../domain/batch-refused.ts";
import { ChatError } from "../../protocol/errors.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { settle, World } from "./world.ts";
import type { Client } from "./client.ts";

const settings = { RATE_LIMIT_MAX_MESSAGES: 100_000 };
const DAYS_MS = 73 * 3_600_000;

/** A store that counts how often it is asked for a client id, and can refuse or hold the answer. */
function asked() {
  const memory = createMemoryStore();
  const control = {
    store: undefined as unknown as Store,
    times: 0,
    isDown: false,
    held: undefined as Promise<void> | undefined,
  };
  control.store = {
    ...memory,
    async findByClientId(...question) {
      control.times += 1;
      await control.held;
      if (control.isDown) throw new ChatError("storage_unavailable");
      return memory.findByClientId(...question);
    },
  };
  return control;
}

/** A room whose first message, "once" as `cid-000001` of alice, has left its log long ago. */
async function agedRoom(options: { sleepy?: boolean; store?: Store } = {}): Promise<{ world: World; alice: Client }> {
  const world = new World({ settings, ...options });
  const alice = await world.connect("alice");
  await alice.post("once", "cid-000001");
  for (let n = 0; n < 760; n++)
    await world.room.message(alice.connection, `{"type":"message","content":"m${n}","clientMessageId":"client-${n}"}`);
  await settle();
  await world.advance(5_000);
  await alice.leave();
  world.now += DAYS_MS;
  const back = await world.connect("alice");
  await back.say({ type: "ping" });
  await world.advance(60_000);
  expect(world.platform.storage.keys("m:0000000000000001")).toEqual([]);
  return { world, alice: await world.connect("alice") };
}

afterEach(() => void vi.restoreAllMocks());

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("I06 a client id that has left the log of $room", ({ sleepy }) => {
  it("I06 gets its old ack for the same content, and nobody hears the message again", async () => {
    const { world, alice } = await agedRoom({ sleepy });
    const bob = await world.connect("bob");
    const again = await alice.post("once", "cid-000001");
    const [row] = await world.store.listEvents(world.app, world.channelId, { after: 0, limit: 1 });
    expect(again).toMatchObject({ type: "ack", seq: 1, duplicate: true, messageId: row?.id });
    expect("timestamp" in again && Date.parse(again.timestamp)).toBe(row?.at);
    expect(bob.all("message")).toEqual([]);
    await world.advance(5_000);
    expect((await world.history()).filter(({ content }) => content === "once")).toHaveLength(1);
  });

  it("I06 is refused with other content", async () => {
    const { alice } = await agedRoom({ sleepy });
    expect(await alice.post("twice", "cid-000001")).toMatchObject({ type: "error", code: "duplicate_conflict" });
  });

  it("I03 is another user's to use for the first time", async () => {
    const { world } = await agedRoom({ sleepy });
    const bob = await world.connect("bob");
    expect(await bob.post("once", "cid-000001")).toMatchObject({ type: "ack", seq: 762, duplicate: false });
  });

  it("I06 is not told to be unstored while history does not answer, and goes through once it does", async () => {
    const control = asked();
    const { world, alice } = await agedRoom({ sleepy, store: control.store });
    control.isDown = true;
    const answer = await alice.post("once", "cid-000001");
    expect(answer).toMatchObject({ type: "error", code: "storage_unavailable", roomId: "lobby" });
    expect(answer).not.toHaveProperty("clientMessageId");
    expect(await alice.post("new", "cid-000002")).toMatchObject({ type: "ack", seq: 762, duplicate: false });
    control.isDown = false;
    expect(await alice.post("once", "cid-000001")).toMatchObject({ type: "ack", seq: 1, duplicate: true });
    await world.advance(5_000);
    expect(await world.history()).toHaveLength(762);
  });
});

describe("I06 client ids", () => {
  it("I06 asks history for none that is new or still in the log", async () => {
    const control = asked();
    const { alice } = await agedRoom({ store: control.store });
    control.isDown = true;
    for (let n = 0; n < 200; n++)
      expect(await alice.post(`n${n}`, `brand-new-${n}`)).toMatchObject({ duplicate: false });
    expect(await alice.post("m759", "client-759")).toMatchObject({ seq: 761, duplicate: true });
    expect(control.times).toBe(0);
  });

  it("I06 asks history once for the same old id", async () => {
    const control = asked();
    const { alice } = await agedRoom({ store: control.store });
    for (let n = 0; n < 5; n++) await alice.post("once", "cid-000001");
    expect(control.times).toBe(1);
  });

  it("I08 keeps a socket's order while one of its messages is looked up, and holds up nobody else", async () => {
    const control = asked();
    const { world, alice } = await agedRoom({ store: control.store });
    const bob = await world.connect("bob");
    let release = (): void => {};
    control.held = new Promise((resolve) => (release = resolve));
    void alice.say({ type: "message", content: "once", clientMessageId: "cid-000001" });
    void alice.say({ type: "message", content: "after it", clientMessageId: "cid-000002" });
    void alice.say({ type: "ping" });
    expect(await bob.post("meanwhile")).toMatchObject({ type: "ack", seq: 762 });
    expect([...alice.all("ack"), ...alice.all("pong")]).toEqual([]);
    release();
    await settle();
    expect(alice.all("ack").map(({ seq }) => seq)).toEqual([1, 763]);
    expect(alice.frames.at(-1)).toEqual({ type: "pong" });
  });

  it("I07 gives one seq to an unknown id that only looks old, on two sockets at once", async () => {
    const { world, alice } = await agedRoom();
    const other = await world.connect("alice");
    const { spent } = world.room.requireOrder();
    vi.spyOn(spent, "mayHave").mockReturnValue(true);
    const frame = { type: "message", content: "hello", clientMessageId: "brand-new-1" };
    await Promise.all([alice.say(frame), other.say(frame)]);
    expect([alice.last("ack"), other.last("ack")].map(({ seq }) => seq)).toEqual([762, 762]);
    expect(alice.last("ack").duplicate).not.toBe(other.last("ack").duplicate);
  });

  it("I06 ends a socket that sends on and on while it waits", async () => {
    const control = asked();
    const { world, alice } = await agedRoom({ store: control.store });
    control.held = new Promise(() => {});
    void alice.say({ type: "message", content: "once", clientMessageId: "cid-000001" });
    await settle();
    for (let n = 0; n < 520; n++) void world.room.message(alice.connection, '{"type":"ping"}');
    await settle();
    expect(alice.closed).toEqual({ code: 4029, reason: "rate_limited" });
  });

  it("I06 has history asked no more often than somebody may write", async () => {
    const control = asked();
    const { world } = await agedRoom({ store: control.store });
    control.isDown = true;
    const few = new World({ settings: { RATE_LIMIT_MAX_MESSAGES: 3 }, store: control.store });
    few.platform.storage.copyFrom(world.platform.storage);
    few.now = world.now;
    const alice = await few.connect("alice");
    for (let n = 0; n < 3; n++)
      expect(await alice.post("once", "cid-000001")).toMatchObject({ code: "storage_unavailable" });
    const limited = await alice.post("once", "cid-000001");
    expect(limited).toMatchObject({ code: "rate_limited", retryAfterMs: expect.any(Number) });
    expect(limited).not.toHaveProperty("clientMessageId");
    expect(control.times).toBe(3);
    expect(await alice.post("something new", "brand-new-1")).toMatchObject({ type: "ack" });
  });

  it("I06 D05 finds what history would not take as well", async () => {
    const control = asked();
    const { writeBatch } = control.store;
    control.store.writeBatch = async (batch) => {
      await writeBatch({ ...batch, events: batch.events.filter(({ seq }) => seq > 1) });
      if (batch.events.some(({ seq }) => seq === 1)) throw new BatchRefused([{ seq: 1, reason: "unstorable" }]);
    };
    const { alice } = await agedRoom({ store: control.store });
    expect(await alice.post("once", "cid-000001")).toMatchObject({ type: "ack", seq: 1, duplicate: true });
    expect(control.times).toBe(0);
  });

  it("I06 writes the filter only when events leave the log, and with them", async () => {
    const { world, alice } = await agedRoom();
    expect(world.platform.storage.keys("spent:")).toEqual(["spent:0"]);
    await world.advance(5_000);
    const before = world.platform.storage.puts;
    await alice.post("hello");
    expect(world.platform.storage.puts - before).toBe(2);
  });

  it("I06 D12 loses neither the events nor their ids when the process dies in the middle of pruning", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice");
    await alice.post("once", "cid-000001");
    for (let n = 0; n < 760; n++) await alice.say({ type: "message", content: `m${n}` });
    await world.advance(5_000);
    await alice.leave();
    world.now += DAYS_MS;
    await world.connect("alice");
    world.platform.storage.hold();
    await world.advance(30_000);
    expect(world.platform.storage.keys("spent:")).toEqual(["spent:0"]);
    world.crash();
    expect(world.platform.storage.keys("spent:")).toEqual([]);
    expect(await (await world.connect("alice")).post("once", "cid-000001")).toMatchObject({ seq: 1, duplicate: true });
  });
});

describe("I06 a room that has lost its storage", () => {
  it("I06 knows the newest 1,000 client ids again, and keeps what it acks beyond them without the id", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice");
    for (let n = 0; n <= 1_000; n++)
      await alice.say({ type: "message", content: `m${n}`, clientMessageId: `client-id-${n}` });
    await world.advance(10_000);
    const after = new World({ settings, store: world.store });
    const back = await after.connect("alice");
    expect(await back.post("m1", "client-id-1")).toMatchObject({ type: "ack", seq: 2, duplicate: true });
    expect(await back.post("m0", "client-id-0")).toMatchObject({ type: "ack", seq: 1_002, duplicate: false });
    expect(await back.post("m0", "client-id-0")).toMatchObject({ type: "ack", seq: 1_002, duplicate: true });
    await after.advance(2_000);
    const [again] = await world.store.listEvents(world.app, world.channelId, { after: 1_001, limit: 1 });
    expect(again).toMatchObject({ seq: 1_002, content: "m0", clientMessageId: null });
    expect(after.logged.filter((line) => line.includes("history_client_id_dropped"))).toHaveLength(1);
    expect(after.platform.storage.keys("bad:")).toEqual([]);
    await after.sleep();
    expect((await after.connect("bob")).last("room_joined")).toMatchObject({ seq: 1_002 });
  });
});
