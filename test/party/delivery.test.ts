import { describe, expect, it } from "vitest";
import { settle, World } from "./world.ts";

const settings = { RATE_LIMIT_MAX_MESSAGES: 100_000 };

describe("store, then tell", () => {
  it("D11 sends no ack and no message before they are durable", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    world.platform.storage.hold();
    await alice.say({ type: "message", content: "hello", clientMessageId: "cid-000001" });
    expect(alice.all("ack")).toEqual([]);
    expect(bob.all("message")).toEqual([]);
    world.platform.storage.release();
    expect(alice.all("ack")).toMatchObject([{ seq: 1 }]);
    expect(bob.all("message")).toMatchObject([{ seq: 1 }]);
  });

  it("D12 D18 loses nothing it has acked when the process dies, and takes up the order where it was", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    await alice.post("one", "cid-000001");
    await alice.post("two", "cid-000002");
    world.platform.storage.hold();
    await alice.say({ type: "message", content: "three", clientMessageId: "cid-000003" });
    world.crash();
    const back = await world.connect("alice");
    expect(back.last("room_joined").messages.map(({ content }) => content)).toEqual(["one", "two"]);
    expect(await back.post("two", "cid-000002")).toMatchObject({ seq: 2, duplicate: true });
    expect(await back.post("three", "cid-000003")).toMatchObject({ seq: 3, duplicate: false });
  });

  it("D18 shows and acks again what was stored by a process that died before it said so", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    const { epoch } = bob.last("room_joined");
    await alice.post("one");
    world.platform.storage.hold();
    await alice.say({ type: "message", content: "two", clientMessageId: "cid-000002" });
    await settle();
    world.crash(1);
    expect([alice.all("ack").length, bob.all("message").length]).toEqual([1, 1]);
    const back = await world.connect("bob", { since: `${epoch}.1` });
    expect(back.last("room_joined")).toMatchObject({ recovered: true, messages: [{ seq: 2, content: "two" }] });
    const again = await world.connect("alice");
    expect(await again.post("two", "cid-000002")).toMatchObject({ type: "ack", seq: 2, duplicate: true });
    expect(back.all("message")).toEqual([]);
    await world.advance(2_000);
    expect(await world.history()).toEqual([
      { seq: 1, content: "one" },
      { seq: 2, content: "two" },
    ]);
  });

  it("D11 writes the message, its client id and the head in one put", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    await world.advance(200);
    const before = world.platform.storage.puts;
    world.platform.storage.hold();
    const waiting = alice.say({ type: "message", content: "hello", clientMessageId: "cid-000001" });
    await settle();
    expect(world.platform.storage.puts - before).toBe(2);
    world.platform.storage.release();
    await waiting;
    expect(world.platform.storage.durable.get("head")).toMatchObject({ seq: 1 });
    expect(world.platform.storage.durable.get("m:0000000000000001")).toMatchObject({ clientMessageId: "cid-000001" });
  });

  it("D14 never acks what a full disk refuses", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    world.platform.storage.breakDisk();
    await alice.say({ type: "message", content: "hello", clientMessageId: "cid-000001" });
    expect([...alice.all("ack"), ...bob.all("message")]).toEqual([]);
    world.crash();
    expect(await (await world.connect("alice")).post("hello", "cid-000001")).toMatchObject({
      seq: 1,
      duplicate: false,
    });
  });

  it("D14 answers storage_unavailable to what a full disk refuses at once: it is not stored, and may come again", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await alice.post("one");
    world.platform.storage.breakDisk("at once");
    expect(await alice.post("two", "cid-000002")).toMatchObject({
      type: "error",
      code: "storage_unavailable",
      clientMessageId: "cid-000002",
    });
    expect([alice.all("ack").length, bob.all("message").length]).toEqual([1, 1]);
    world.platform.storage.mendDisk();
    expect(await alice.post("two", "cid-000002")).toMatchObject({ type: "ack", seq: 2, duplicate: false });
    await world.advance(2_000);
    expect((await world.history()).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it("D11 keeps seqs gapless over any mixture of sleep and crash", async () => {
    const world = new World({ settings });
    for (let life = 0; life < 10; life++) {
      const alice = await world.connect("alice");
      for (let at = 0; at < 5; at++) await alice.post(`${life}-${at}`);
      if (life % 2 === 0) await world.sleep();
      else world.crash();
      await world.advance(700);
    }
    await (await world.connect("alice")).post("last");
    await world.advance(5_000);
    expect((await world.history()).map(({ seq }) => seq)).toEqual(Array.from({ length: 51 }, (_, at) => at + 1));
  });
});
