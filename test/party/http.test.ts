import { describe, expect, it } from "vitest";
import { World } from "./world.ts";

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
