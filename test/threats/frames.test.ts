import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createTestGateway,
  type FakeSocket,
  NOW,
  settle as settleTimers,
  type TestGateway,
} from "../gateway/fake-sockets.ts";
import { World } from "../party/world.ts";
import { badJson, hardJson } from "../support/json-cases.ts";

const SCORES = { RATE_LIMIT_MAX_MESSAGES: 1_000_000 };

/** Each frame of the protocol, good, and a few that are none. */
const FRAMES: Record<string, unknown>[] = [
  { type: "message", roomId: "lobby", content: "hello", clientMessageId: "cid-000001", timestamp: "now" },
  { type: "join_room", roomId: "lobby", since: { epoch: "e1", seq: 0 } },
  { type: "leave_room", roomId: "lobby" },
  { type: "typing", roomId: "lobby", isTyping: true },
  { type: "read", roomId: "lobby", seq: 1 },
  { type: "received", roomId: "lobby", seq: 1 },
  { type: "refresh", token: "x.y.z" },
  { type: "ping" },
  { type: "auth", token: "x.y.z" },
  { type: "presence", roomId: "lobby", userId: "bystander", status: "offline" },
];
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 2_000 }),
  fc.constantFrom("lobby", "message", "cid-000001", "\ud800", "__proto__", "\u0000", "", "a".repeat(5_000)),
);
const value = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constant(null),
  fc.array(text, { maxLength: 3 }),
  fc.object(),
  fc.record({ epoch: text, seq: fc.oneof(fc.nat(), fc.double()) }),
);
/** One field of one frame is anything, or there is one more. */
const spoilt = fc
  .tuple(fc.constantFrom(...FRAMES), fc.nat(), fc.option(text), value)
  .map(([frame, at, extra, anything]) => {
    const names = Object.keys(frame);
    return JSON.stringify({ ...frame, [extra ?? names[at % names.length] ?? "type"]: anything });
  });
const wire = fc.oneof({ weight: 6, arbitrary: spoilt }, text, fc.json({ maxDepth: 20 }));
const RUNS = 20_000;

describe("a room", () => {
  it("F19 nothing a client can send is an exception, or touches a bystander", async () => {
    const world = new World({ settings: SCORES });
    const bystander = await world.connect("bystander");
    let mallory = await world.connect("mallory");
    let reconnects = 0;
    await fc.assert(
      fc.asyncProperty(wire, async (message) => {
        if (mallory.closed !== undefined) {
          mallory = await world.connect("mallory");
          reconnects++;
        }
        await mallory.send(message); // and waits until the room has answered it
      }),
      { numRuns: RUNS },
    );
    expect(reconnects).toBeGreaterThan(RUNS / 100);
    expect(world.logged.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    expect(bystander.closed).toBeUndefined();
    expect(await bystander.post("still fine")).toMatchObject({ type: "ack" });
  });

  it.each([
    ["F07", badJson()],
    ["F08 F09 F10", hardJson().map(([what, json]) => [what, `{"type":"ping","field":${json}}`] as const)],
  ])("%s answers what nobody can read with bad_frame, and keeps the socket", async (_id, cases) => {
    const world = new World();
    const bystander = await world.connect("bystander");
    for (const [, message] of cases) {
      const alice = await world.connect("alice");
      alice.news();
      await alice.send(message);
      await alice.say({ type: "ping" });
      expect(alice.news()).toMatchObject([{ type: "error", code: "bad_frame" }, { type: "pong" }]);
      expect(alice.closed).toBeUndefined();
    }
    expect(bystander.all("message")).toEqual([]);
    expect([bystander.closed, "polluted" in {}]).toEqual([undefined, false]);
  });

  it.each(['{"type":"message","content":"x","role":"mod"}', '{"type":"join_room","roomId":"lobby","role":"admin"}'])(
    "A08 takes no role from a frame: %s",
    async (message) => {
      const world = new World();
      const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
      await alice.send(message);
      expect(alice.last("error")).toMatchObject({
        code: "bad_frame",
        message: 'Cannot take this: unknown field "role"',
      });
      expect(bob.all("message")).toEqual([]);
    },
  );

  it.each(["edit", "delete", "react", "pin"])(
    "A07 has no frame to %s a message with, whoever sent it",
    async (type) => {
      const world = new World();
      const [alice, mallory] = [await world.connect("alice"), await world.connect("mallory")];
      await alice.post("mine");
      await mallory.say({ type, roomId: "lobby", seq: 1, content: "theirs" });
      expect(mallory.last("error").code).toBe("unknown_type");
      await world.advance(3_000);
      expect(await world.history()).toEqual([{ seq: 1, content: "mine" }]);
    },
  );

  it("A11 tells who is not in it nothing: neither messages nor who is there, who types or how far it is", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await bob.say({ type: "leave_room", roomId: "lobby" });
    bob.news();
    await alice.post("for members");
    await alice.say({ type: "typing", isTyping: true });
    await alice.say({ type: "read", seq: 1 });
    await (await world.connect("carol")).say({ type: "typing", isTyping: true });
    await world.advance(30_000);
    expect(bob.news()).toEqual([]);
    await bob.say({ type: "typing", isTyping: true });
    expect(bob.last("error").code).toBe("forbidden");
  });
});

describe("the gateway", () => {
  let gateway: TestGateway;
  beforeEach(async () => {
    vi.useFakeTimers({ now: NOW });
    gateway = await createTestGateway();
  });
  afterEach(() => void vi.useRealTimers());

  it("F19 nothing a client can send is an exception, and rooms hear nothing that is not a frame", async () => {
    const { client: bystander } = await gateway.joined();
    let { client: mallory, lobby } = await gateway.joined();
    const heard = new Set<unknown>();
    await fc.assert(
      fc.asyncProperty(wire, async (message) => {
        if (mallory.closed !== undefined) ({ client: mallory, lobby } = await gateway.joined());
        mallory.hear(message);
        await settleTimers();
        for (const sent of lobby.sent.splice(0)) heard.add((JSON.parse(sent) as { type: unknown }).type);
      }),
      { numRuns: RUNS },
    );
    const forRooms = ["message", "join_room", "leave_room", "typing", "read", "received", "refresh", "ping"];
    expect([...heard].filter((type) => !forRooms.includes(String(type)))).toEqual([]);
    expect(heard.size).toBeGreaterThan(3);
    expect(bystander.closed).toBeUndefined();
    expect(gateway.log.filter(({ event }) => event === "bug")).toEqual([]);
  });

  const answersOf = (client: FakeSocket): unknown[] => client.ofType("error").map(({ code }) => code);

  it.each([
    ["F07", badJson()],
    ["F08 F09 F10", hardJson().map(([what, json]) => [what, `{"type":"ping","field":${json}}`] as const)],
  ])("%s answers what nobody can read with bad_frame, and no room hears of it", async (_id, cases) => {
    for (const [, message] of cases) {
      const { client, lobby } = await gateway.joined();
      client.hear(message);
      expect([answersOf(client), lobby.sent, client.closed]).toEqual([["bad_frame"], [], undefined]);
    }
  });

  it.each(["edit", "delete", "react", "pin"])("A07 hands on no frame to %s a message with", async (type) => {
    const { client, lobby } = await gateway.joined();
    client.hear(JSON.stringify({ type, roomId: "lobby", seq: 1, content: "theirs" }));
    expect([answersOf(client), lobby.sent]).toEqual([["unknown_type"], []]);
  });

  it("A08 A13 hands on no role, and no frame for a room that was not joined", async () => {
    const { client, lobby } = await gateway.joined();
    client.hear('{"type":"message","content":"x","role":"mod"}');
    client.hear('{"type":"typing","roomId":"elsewhere","isTyping":true}');
    expect(answersOf(client)).toEqual(["bad_frame", "forbidden"]);
    expect([lobby.sent, gateway.rooms.length]).toEqual([[], 1]);
  });
});
