import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { UserId } from "../../protocol/ids.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { World } from "./world.ts";

const Tail = z.object({ head: z.number(), storedSeq: z.number(), events: z.array(z.object({ seq: z.number() })) });
const Presence = z.object({ memberCount: z.number(), online: z.array(z.unknown()) });
const internal = { kind: "internal" } as const;

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("what our own Worker may ask $room", ({ sleepy }) => {
  it("D06 tail: the events that history may not have yet, and whether the caller is a member", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    await alice.post("one", "cid-000001");
    await world.advance(2_000);
    await alice.post("two");
    const tail = await (await world.request("tail", await world.token("alice", internal))).json();
    const { epoch } = alice.last("room_joined");
    expect(tail).toMatchObject({ epoch, head: 2, storedSeq: 1, isMember: true, events: [{ seq: 2, content: "two" }] });
    const strangers = await (await world.request("tail", await world.token("mallory", internal))).json();
    expect(strangers).toMatchObject({ isMember: false });
  });

  it.each([
    ["", 1, 30],
    ["?limit=5", 26, 30],
    ["?after=3&limit=5", 4, 8],
    ["?before=9&limit=5", 4, 8],
    ["?before=9&after=2&limit=50", 3, 8],
    ["?before=9&after=2&limit=3", 6, 8],
    ["?after=29&limit=50", 30, 30],
    ["?limit=", 1, 30],
  ])("D06 tail%s: of what history does not have only what such a page can need", async (query, first, last) => {
    const world = new World({ sleepy, store: { ...createMemoryStore(), writeBatch: () => new Promise(() => {}) } });
    const alice = await world.connect("alice");
    for (let n = 1; n <= 30; n++) await alice.say({ type: "message", content: `m${n}` });
    const tail = Tail.parse(await (await world.request(`tail${query}`, await world.token("alice", internal))).json());
    expect([tail.head, tail.storedSeq]).toEqual([30, 0]);
    expect(tail.events.map(({ seq }) => seq)).toEqual(Array.from({ length: last - first + 1 }, (_, at) => first + at));
  });

  it.each(["?after=30", "?before=1", "?after=99&limit=5", "?before=9&after=8", "?limit=0"])(
    "D06 tail%s: nothing",
    async (query) => {
      const world = new World({ sleepy, store: { ...createMemoryStore(), writeBatch: () => new Promise(() => {}) } });
      const alice = await world.connect("alice");
      for (let n = 1; n <= 30; n++) await alice.say({ type: "message", content: `m${n}` });
      const tail = Tail.parse(await (await world.request(`tail${query}`, await world.token("alice", internal))).json());
      expect(tail).toEqual({ head: 30, storedSeq: 0, events: [] });
    },
  );

  it("J24 here: whether the guest has a socket, by their own token and by nobody else's", async () => {
    const world = new World({ sleepy });
    const isHere = async (token?: string) => {
      const answer = await world.request("here", token);
      return { status: answer.status, ...((await answer.json()) as object) };
    };
    expect(await isHere(await world.token("alice"))).toEqual({ status: 200, isHere: false });
    const alice = await world.connect("alice");
    expect(await isHere(await world.token("alice"))).toEqual({ status: 200, isHere: true });
    expect(await isHere(await world.token("bob"))).toEqual({ status: 200, isHere: false });
    await alice.leave();
    expect(await isHere(await world.token("alice"))).toEqual({ status: 200, isHere: false });
    for (const token of [undefined, "x.y.z", await world.token("alice", { kind: "rest" })])
      expect((await isHere(token)).status).toBe(401);
  });

  it("presence: who is here", async () => {
    const world = new World({ sleepy });
    await world.connect("alice", { name: "Alice" });
    const answer = await (await world.request("presence", await world.token("alice", internal))).json();
    expect(answer).toEqual({ isMember: true, memberCount: 1, online: [{ userId: "alice", username: "Alice" }] });
  });

  it("ping: one write and one read", async () => {
    const world = new World({ sleepy });
    const answer = await world.request("ping", await world.token("alice", internal));
    expect(await answer.json()).toEqual({ ok: true });
  });
});

describe("asking a room", () => {
  it("answers for a room that nobody has opened, and does not open it", async () => {
    const world = new World();
    const token = await world.token("alice", internal);
    const nothing = { epoch: "", head: 0, storedSeq: 0, isMember: false, events: [] };
    expect(await (await world.request("tail", token)).json()).toEqual(nothing);
    expect(await world.store.findChannel(world.app, world.channelId)).toBeUndefined();
  });

  it("X06 tells of a crowd how many there are, and the names of a thousand", async () => {
    const world = new World();
    await world.connect("alice");
    for (let at = 1; at <= 1_200; at++) world.room.attendance.roster.enter(UserId.parse(`user-${at}`), `User ${at}`);
    const answer = await world.request("presence", await world.token("alice", internal));
    const { memberCount, online } = Presence.parse(await answer.json());
    expect([memberCount, online.length]).toEqual([1_201, 1_000]);
  });

  it.each([
    ["without a token", "tail", undefined, "GET"],
    ["with a socket's token", "tail", { kind: "ws" }, "GET"],
    ["with an HTTP token", "presence", { kind: "rest" }, "GET"],
    ["with another app's token", "tail", { kind: "internal", app: "other" }, "GET"],
    ["with an expired token", "tail", { kind: "internal", lifeMs: -6_000 }, "GET"],
    ["for anything else", "debug", internal, "GET"],
    ["for nothing", "", internal, "GET"],
    ["by POST", "tail", internal, "POST"],
  ] as const)("A12 finds nothing there %s", async (_what, verb, options, method) => {
    const world = new World();
    const token = options === undefined ? undefined : await world.token("alice", options);
    const answer = await world.request(verb, token, method);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ code: "not_found" });
  });
});
