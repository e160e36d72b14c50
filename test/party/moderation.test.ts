import { describe, expect, it } from "vitest";
import type { ModerationRecord } from "../../domain/ports/moderation.ts";
import { entryOf } from "../db/contract/opened-store.ts";
import { settle, World } from "./world.ts";

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("the content filter in $room", ({ sleepy }) => {
  const open = () => new World({ sleepy, moderation: true });
  const set = async (world: World, change: Partial<ModerationRecord>, whole = false) => {
    const record = { mode: "block" as const, blocked: [], allowed: [], ...change };
    await world.store.saveModeration(world.app, whole ? null : world.channelId, record, entryOf());
  };
  const actions = async (world: World) =>
    (await world.store.listAudit(world.app, { channelId: world.channelId, limit: 100 }))
      .map(({ entry: { action, actor, requestId, detail } }) => [action, actor, requestId, detail])
      .toReversed();

  it("S0-27 is off unless it was asked for", async () => {
    const world = new World({ sleepy });
    await set(world, { mode: "block" });
    const alice = await world.connect("alice", { name: "Shithead" });
    expect(await alice.post("what the fuck")).toMatchObject({ type: "ack", seq: 1 });
    expect(alice.last("message")).toMatchObject({ content: "what the fuck", username: "Shithead" });
  });

  it("S0-27 blocks, unless something else was set: an error with the client id, and nothing stored", async () => {
    const world = open();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    expect(await alice.post("what the fuck", "cid-000001")).toMatchObject({
      type: "error",
      code: "blocked_by_moderation",
      clientMessageId: "cid-000001",
    });
    expect(await alice.post("what a day", "cid-000001")).toMatchObject({ type: "ack", seq: 1, duplicate: false });
    expect(bob.all("message").map(({ content }) => content)).toEqual(["what a day"]);
    await world.advance(2_000);
    expect(await world.history()).toEqual([{ seq: 1, content: "what a day" }]);
  });

  it("S0-27 masks: everybody and history see the stars, and the ack says so", async () => {
    const world = open();
    await set(world, { mode: "mask" });
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    expect(await alice.post("what the f\u200bu\u0441k, Bob")).toMatchObject({ type: "ack", moderation: "masked" });
    const kept = "what the *****, Bob";
    expect([alice.last("message").content, bob.last("message").content]).toEqual([kept, kept]);
    await world.advance(2_000);
    expect(await world.history()).toEqual([{ seq: 1, content: kept }]);
    expect((await world.connect("carol")).last("room_joined").messages).toMatchObject([{ content: kept }]);
  });

  it("S0-27 flags: it is kept as it came, and the ack says so", async () => {
    const world = open();
    await set(world, { mode: "flag" });
    const alice = await world.connect("alice");
    expect(await alice.post("what the fuck")).toMatchObject({ type: "ack", moderation: "flagged" });
    expect(alice.last("message").content).toBe("what the fuck");
    expect(await alice.post("what a day")).not.toHaveProperty("moderation");
  });

  it("I01 knows a masked message again by what was sent, and only by that", async () => {
    const world = open();
    await set(world, { mode: "mask" });
    const alice = await world.connect("alice");
    const first = await alice.post("what the fuck", "cid-000001");
    expect(await alice.post("what the fuck", "cid-000001")).toEqual({ ...first, duplicate: true });
    expect(await alice.post("what the ****", "cid-000001")).toMatchObject({ code: "duplicate_conflict" });
    await set(world, { mode: "block" });
    await world.advance(61_000);
    await alice.say({ type: "ping" });
    expect(await alice.post("what the fuck", "cid-000001")).toEqual({ ...first, duplicate: true });
    expect(alice.all("message")).toHaveLength(1);
  });

  it("S0-27 goes by the channel's mode before the app's, and by the block lists of both", async () => {
    const world = open();
    await set(world, { mode: "block", blocked: ["wibble"], allowed: ["damn"] }, true);
    await set(world, { mode: "mask", blocked: ["two wobbles", "wub*"], allowed: ["bitch"] });
    const alice = await world.connect("alice");
    const kept = async (content: string) => {
      expect(await alice.post(content)).toMatchObject({ type: "ack" });
      return alice.last("message").content;
    };
    expect(await kept("a Wibble")).toBe("a ******");
    expect(await kept("two wobbles and one wobble")).toBe("*** ******* and one wobble");
    expect(await kept("wubba")).toBe("*****");
    expect(await kept("resting bitch face")).toBe("resting bitch face");
    expect(await kept("oh shit")).toBe("oh ****");
  });

  it("S0-27 can be turned off for one channel", async () => {
    const world = open();
    await set(world, { mode: "block" }, true);
    await set(world, { mode: "off" });
    const alice = await world.connect("alice");
    expect(await alice.post("what the fuck")).toMatchObject({ type: "ack" });
    expect(alice.last("message").content).toBe("what the fuck");
  });

  it("S0-27 takes up a changed list within a minute, without a message waiting for it", async () => {
    const world = open();
    const alice = await world.connect("alice");
    await set(world, { blocked: ["wibble"] });
    expect(await alice.post("wibble")).toMatchObject({ type: "ack" });
    await world.advance(60_001);
    expect(await alice.post("this one makes it look")).toMatchObject({ type: "ack" });
    await settle();
    expect(await alice.post("wibble")).toMatchObject({ code: "blocked_by_moderation" });
  });

  it("S0-27 takes up a changed list at once when our Worker tells of it, and from nobody else", async () => {
    const world = open();
    const alice = await world.connect("alice");
    await set(world, { blocked: ["wibble"] });
    const tell = async (token?: string) => (await world.request("lists", token, "POST", {})).status;
    expect([await tell(), await tell(await world.token("alice"))]).toEqual([404, 404]);
    expect(await alice.post("wibble")).toMatchObject({ type: "ack" });
    expect(await tell(await world.token("app", { kind: "internal" }))).toBe(200);
    expect(await alice.post("wibble")).toMatchObject({ code: "blocked_by_moderation" });
  });

  it("D01 joins people without waiting for lists a second time when they cannot be read", async () => {
    const world = open();
    let asked = 0;
    world.store.findModeration = async () => Promise.reject(new Error(`Postgres is away ${++asked}`));
    const alice = await world.connect("alice");
    await world.connect("bob");
    expect(asked).toBe(1);
    await world.advance(60_000);
    await world.connect("carol");
    expect(asked).toBe(2);
    expect(await alice.post("fuck")).toMatchObject({ code: "blocked_by_moderation" });
  });

  it("D01 goes on with the lists it knows while Postgres is away, also after a crash", async () => {
    const world = open();
    await set(world, { mode: "mask", blocked: ["wibble"] });
    await (await world.connect("alice")).leave();
    world.store.findModeration = async () => Promise.reject(new Error("Postgres is away"));
    world.crash();
    await world.advance(120_000);
    const alice = await world.connect("alice");
    for (const content of ["wibble", "fuck", "wibble"])
      expect(await alice.post(content)).toMatchObject({ type: "ack", moderation: "masked" });
  });

  it("S0-27 shows a name masked, because a name cannot be sent again", async () => {
    const world = open();
    const alice = await world.connect("alice", { name: "Sh1thead Al" });
    await alice.post("hello");
    expect(alice.last("message").username).toBe("******** Al");
    expect(alice.last("room_joined").members).toMatchObject([{ username: "******** Al" }]);
  });

  it("S0-28 leaves each of its decisions in the audit log, and not a word of what was written", async () => {
    const world = open();
    await set(world, { mode: "mask" });
    const alice = await world.connect("alice");
    await alice.post("what the fuck", "cid-000001");
    await world.advance(70_000);
    const found = await actions(world);
    expect(found).toContainEqual(["message.send", "alice", "cid-000001", null]);
    expect(found).toContainEqual(["message.mask", "alice", "cid-000001", null]);
    expect(JSON.stringify(found)).not.toMatch(/fuck|\*/);
  });
});

it("F17 sends away whoever does not stop sending what is blocked", async () => {
  const world = new World({ moderation: true });
  const alice = await world.connect("alice");
  for (let message = 0; message <= 300; message++) await alice.say({ type: "message", content: "fuck" });
  expect(alice.closed).toMatchObject({ code: 4029 });
});
