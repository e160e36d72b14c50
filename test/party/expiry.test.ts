import { describe, expect, it } from "vitest";
import { World } from "./world.ts";

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("a token's end, in $room", ({ sleepy }) => {
  it("J25 closes a socket with 4001 half a minute after its token has expired", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice", { lifeMs: 60_000 });
    for (let waited = 0; waited < 80; waited += 20) {
      await world.advance(20_000);
      await alice.say({ type: "ping" });
    }
    expect(alice.closed).toBeUndefined();
    await world.advance(12_000);
    expect(alice.closed).toEqual({ code: 4001, reason: "token_expired" });
  });

  it("J25 takes no message once the token has expired", async () => {
    const world = new World({ sleepy });
    const [alice, bob] = [await world.connect("alice", { lifeMs: 60_000 }), await world.connect("bob")];
    await world.advance(60_000);
    await alice.say({ type: "message", content: "too late" });
    expect(alice.closed?.code).toBe(4001);
    expect(bob.all("message")).toEqual([]);
  });

  it("stays open past the old token's life after a refresh, also within the half minute", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice", { lifeMs: 60_000 });
    await world.advance(70_000);
    await alice.say({ type: "refresh", token: await world.token("alice") });
    expect(await alice.post("still here")).toMatchObject({ type: "ack" });
    await world.advance(40_000);
    expect(alice.closed).toBeUndefined();
  });

  it("handles what comes right behind a refresh after it", async () => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice", { lifeMs: 60_000 });
    await world.advance(70_000);
    const token = await world.token("alice");
    await Promise.all([alice.say({ type: "refresh", token }), alice.say({ type: "message", content: "hello" })]);
    expect(alice.all("ack")).toHaveLength(1);
  });

  it.each([
    ["of another user", { user: "bob" }, 4500],
    ["of another app", { app: "other" }, 4500],
    ["of another kind", { kind: "rest" }, 4502],
    ["that has expired", { lifeMs: -6_000 }, 4001],
    ["that is none", { token: "x" }, 4500],
  ] as const)("closes on a refresh with a token %s", async (_what, options, code) => {
    const world = new World({ sleepy });
    const alice = await world.connect("alice");
    const { user = "alice", token, ...rest } = { user: undefined, token: undefined, ...options };
    await alice.say({ type: "refresh", token: token ?? (await world.token(user, rest)) });
    expect(alice.closed?.code).toBe(code);
  });
});

describe("what a room keeps", () => {
  it("O02 T20 is never a token", async () => {
    const world = new World();
    const token = await world.token("alice");
    const alice = await world.connect("alice", { token });
    await alice.say({ type: "refresh", token: await world.token("alice") });
    await alice.post("hello");
    const kept = JSON.stringify([[...world.platform.storage.durable], alice.connection.state, world.logged]);
    expect(kept).not.toContain("eyJ");
    expect(kept).not.toContain(token.split(".")[2]);
  });
});
