import { describe, expect, it } from "vitest";
import { eventOf, channelOf, room as roomId } from "../db/contract/opened-store.ts";
import { World } from "./world.ts";

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("the audit log of $room", ({ sleepy }) => {
  const entries = async (world: World) =>
    (await world.store.listAudit(world.app, { limit: 1_000 })).map(({ entry }) => entry).toReversed();
  const refusals = async (world: World) => (await entries(world)).filter(({ action }) => action.endsWith(".refuse"));

  it("S4-27 O08 tells who joined and who wrote, when and by what, and nothing that was said", async () => {
    const world = new World({ sleepy });
    const startedAt = world.now;
    const alice = await world.connect("alice");
    const ack = await alice.post("a secret word", "cid-000001");
    await world.advance(2_000);
    const [, join, send, ...others] = await entries(world);
    const about = { actor: "alice", channelId: "lobby", detail: null };
    expect(join).toMatchObject({
      ...about,
      action: "member.join",
      subject: "alice",
      requestId: alice.connection.id,
      at: startedAt,
    });
    expect(send).toMatchObject({
      ...about,
      action: "message.send",
      subject: ack.type === "ack" && ack.messageId,
      requestId: "cid-000001",
    });
    expect(others).toEqual([]);
    expect(JSON.stringify(await entries(world))).not.toContain("secret");
  });

  it("S4-27 tells that the room was made, and by nobody in particular", async () => {
    const world = new World({ sleepy });
    await world.connect("alice");
    expect((await entries(world))[0]).toMatchObject({ action: "channel.create", actor: "system", subject: "lobby" });
  });

  it("S4-27 has no second entry when somebody comes again or sends again", async () => {
    const world = new World({ sleepy });
    for (let visit = 0; visit < 3; visit++) {
      const alice = await world.connect("alice");
      await alice.post("hello", "cid-000001");
      await alice.leave();
      await world.advance(10_000);
    }
    expect((await entries(world)).map(({ action }) => action)).toEqual([
      "channel.create",
      "member.join",
      "message.send",
    ]);
  });

  it("S4-27 tells what was refused: one entry per user, code and minute, with how often", async () => {
    const world = new World({ sleepy, settings: { RATE_LIMIT_MAX_MESSAGES: 1 } });
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    for (const client of [alice, bob]) await client.post("hello");
    for (const id of ["cid-000001", "cid-000002", "cid-000003"]) await alice.post("again", id);
    await alice.post("x".repeat(1_001), "cid-000004");
    await bob.post("again", "cid-000005");
    expect(await refusals(world)).toEqual([]);
    await world.advance(61_000);
    const about = { action: "message.refuse", channelId: "lobby", subject: "lobby" };
    expect(await refusals(world)).toMatchObject([
      { ...about, actor: "alice", detail: "rate_limited x3", requestId: "cid-000001" },
      { ...about, actor: "alice", detail: "content_too_long", requestId: "cid-000004" },
      { ...about, actor: "bob", detail: "rate_limited", requestId: "cid-000005" },
    ]);
  });

  it("S4-27 tells who was not let in", async () => {
    const world = new World({ sleepy, channelId: "plans" });
    const wanted = channelOf(world.app, { id: roomId("plans"), type: "private", createdBy: "bob" });
    await world.store.createChannel(wanted);
    await world.connect("bob");
    for (let knock = 0; knock < 5; knock++) await world.connect("mallory");
    await world.advance(61_000);
    expect(await refusals(world)).toMatchObject([
      { action: "request.refuse", actor: "mallory", channelId: "plans", detail: "forbidden x5" },
    ]);
  });

  it("J24 S4-27 tells who was not let in with a token that was revoked while they were here", async () => {
    const world = new World({ sleepy });
    const token = await world.token("alice");
    await world.connect("alice", { token });
    await world.advance(1_000);
    await world.order({ order: "revoke", userId: "alice", before: world.now });
    expect((await world.connect("alice", { token })).closed?.code).toBe(4500);
    await world.advance(61_000);
    expect(await refusals(world)).toMatchObject([
      { action: "request.refuse", actor: "alice", detail: "token_revoked" },
    ]);
  });

  it("D01 loses none of it while Postgres is away, and stays small", async () => {
    const world = new World({ sleepy, settings: { RATE_LIMIT_MAX_MESSAGES: 1 } });
    const { writeBatch } = world.store;
    const alice = await world.connect("alice");
    await world.advance(2_000);
    world.store.writeBatch = async () => Promise.reject(new Error("Postgres is away"));
    await alice.post("hello", "cid-000001");
    for (let minute = 0; minute < 5; minute++) {
      await alice.post("again", `cid-00000${minute}`);
      await alice.post("again", `cid-10000${minute}`);
      await world.advance(30_000);
    }
    world.crash();
    expect(world.platform.storage.keys("due:aud:")).toEqual([]);
    world.store.writeBatch = writeBatch;
    await world.connect("alice");
    await world.advance(400_000);
    const refused = (await refusals(world)).map(({ detail }) => detail);
    const count = refused.map((detail) => Number(detail?.split(" x")[1] ?? 1)).reduce((sum, times) => sum + times, 0);
    expect(count).toBeGreaterThanOrEqual(5);
    expect(refused.length).toBeLessThanOrEqual(5);
    expect((await entries(world)).filter(({ action }) => action === "message.send").length).toBeGreaterThan(0);
  });

  it("D05 has entries of what history takes when some of it cannot be", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    await world.advance(2_000);
    const { app, channelId } = world;
    const other = eventOf(1, { id: "other", content: "Other", clientMessageId: null });
    await world.store.writeBatch({ app, channelId, events: [other], members: [], reads: [] });
    await alice.post("one", "cid-000001");
    await alice.post("two", "cid-000002");
    await world.advance(2_000);
    const sent = (await entries(world)).filter(({ action }) => action === "message.send");
    expect(sent.map(({ requestId }) => requestId)).toEqual([null, "cid-000002"]);
  });
});

it("S4-27 counts a flood of refusals without a write for each, and past a hundred kinds without names", async () => {
  const world = new World({ settings: { RATE_LIMIT_MAX_MESSAGES: 1 } });
  const people = [];
  for (let person = 0; person < 120; person++) people.push(await world.connect(`user-${person}`));
  await world.advance(2_000);
  for (const client of people) await client.post("hello");
  await world.advance(2_000);
  const before = world.platform.storage.puts;
  for (let time = 0; time < 200; time++) await people[0]!.post("again");
  expect(world.platform.storage.puts - before).toBeLessThan(30);
  for (const client of people) await client.post("again");
  await world.advance(61_000);
  const found = (await world.store.listAudit(world.app, { limit: 1_000 })).map(({ entry }) => entry);
  const refused = found.filter(({ action }) => action.endsWith(".refuse"));
  expect(refused).toHaveLength(101);
  expect(refused).toContainEqual(expect.objectContaining({ actor: "user-0", detail: "rate_limited x201" }));
  expect(refused).toContainEqual(expect.objectContaining({ actor: "system", detail: "others x20" }));
});
