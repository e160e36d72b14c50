import { describe, expect, it } from "vitest";
import type { Store } from "../../domain/ports/store.ts";
import { ChatError } from "../../protocol/errors.ts";
import type { ChannelType } from "../../protocol/http.ts";
import { AppId, ChannelId, UserId } from "../../protocol/ids.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { type KnockOptions, World, type WorldOptions } from "./world.ts";

const app = AppId.parse("demo");

async function withChannel(id: string, type: ChannelType, members: string[] = [], options: WorldOptions = {}) {
  const store = createMemoryStore();
  const channel = { app, id: ChannelId.parse(id), type, name: id, createdBy: `app:${app}`, custom: {} };
  await store.createChannel({ ...channel, members: members.map((user) => UserId.parse(user)) });
  return new World({ channelId: id, store, ...options });
}

/** A store that answers only while it is up. */
function breakable(store: Store): Store & { isDown: boolean } {
  const broken = { isDown: false };
  return new Proxy(Object.assign(broken, store), {
    get(target, name: keyof Store | "isDown") {
      if (name === "isDown" || !target.isDown) return target[name];
      return async () => {
        throw new ChatError("storage_unavailable");
      };
    },
  });
}

describe("joining a room", () => {
  it("welcomes a socket and joins it at once", async () => {
    const world = new World();
    const alice = await world.connect("alice", { name: "Alice" });
    expect(alice.frames).toMatchObject([
      {
        type: "welcome",
        userId: "alice",
        limits: { messageMaxLength: 1_000, messagesPerWindow: 30, windowMs: 60_000 },
      },
      {
        type: "room_joined",
        roomId: "lobby",
        memberCount: 1,
        members: [{ userId: "alice", username: "Alice", status: "online" }],
        seq: 0,
        messages: [],
        recovered: false,
      },
    ]);
  });

  it("makes the lobby on demand, as a channel of the app and not of whoever came first", async () => {
    const world = new World();
    await world.connect("alice");
    expect(await world.store.findChannel(app, world.channelId)).toMatchObject({ type: "lobby", createdBy: "app:demo" });
  });

  it("closes with 4504 where there is no such channel", async () => {
    const world = new World({ channelId: "nowhere" });
    expect((await world.connect("alice")).closed).toEqual({ code: 4504, reason: "room_not_found" });
    expect(await world.store.findChannel(app, world.channelId)).toBeUndefined();
  });

  it("makes an unknown channel, owned by whoever joins first, where channels are made on demand", async () => {
    const world = new World({ channelId: "fresh", settings: { ROOMS_AUTO_CREATE: true } });
    const alice = await world.connect("alice");
    expect(alice.last("room_joined").roomId).toBe("fresh");
    expect(await world.store.findChannel(app, world.channelId)).toMatchObject({
      type: "messaging",
      createdBy: "alice",
    });
  });

  it.each(["main", "admin", "system", "constructor", "__proto__"])(
    "A03 never makes the reserved channel %s",
    async (channelId) => {
      const world = new World({ channelId, settings: { ROOMS_AUTO_CREATE: true } });
      expect((await world.connect("alice")).closed?.code).toBe(4504);
    },
  );

  it.each(["messaging", "livestream"] as const)("makes a member of whoever joins an open %s channel", async (type) => {
    const world = await withChannel("open", type);
    await world.connect("alice");
    await world.advance(2_000);
    expect(await world.store.findMember(app, world.channelId, UserId.parse("alice"))).toMatchObject({ role: "member" });
  });

  it.each(["private", "team", "dm"] as const)("A01 closes with 4503 who is not in a %s channel", async (type) => {
    const world = await withChannel("closed", type, ["alice"]);
    expect((await world.connect("mallory")).closed).toEqual({ code: 4503, reason: "forbidden" });
    expect((await world.connect("alice")).last("room_joined").memberCount).toBe(1);
  });

  it.each<[string, KnockOptions, number]>([
    ["T03 another app's token", { app: "other" }, 4504],
    ["T01 the HTTP token", { kind: "rest" }, 4502],
    ["T01 an internal token", { kind: "internal" }, 4502],
    ["T04 something else that is signed", { token: "eyJhbGciOiJub25lIn0.e30." }, 4500],
    ["J08 an expired token", { lifeMs: -6_000 }, 4001],
    ["I10 A05 a position that cannot be read", { since: "epoch.-1" }, 4501],
  ])("refuses %s", async (_what, options, code) => {
    const world = new World();
    const mallory = await world.connect("mallory", options);
    expect(mallory.closed?.code).toBe(code);
    expect(mallory.frames).toEqual([]);
  });

  it("W10 closes the oldest of six sockets of one user with 4507", async () => {
    const world = new World();
    const clients = [];
    for (let opened = 0; opened < 6; opened++) {
      await world.advance(1);
      clients.push(await world.connect("alice"));
    }
    expect(clients.map(({ closed }) => closed?.code)).toEqual([4507, ...Array.from({ length: 5 }, () => undefined)]);
    expect(clients.at(-1)?.last("room_joined").memberCount).toBe(1);
  });

  it("lets nobody in while Postgres cannot say what the room is, and anybody once it can", async () => {
    const store = breakable(createMemoryStore());
    const world = new World({ store });
    store.isDown = true;
    expect((await world.connect("alice")).closed).toEqual({ code: 4005, reason: "internal" });
    store.isDown = false;
    expect((await world.connect("alice")).last("room_joined").seq).toBe(0);
  });

  it("needs no Postgres to let a known member of a closed channel in again", async () => {
    const store = breakable(createMemoryStore());
    const first = await withChannel("closed", "private", ["alice"]);
    Object.assign(store, first.store);
    const world = new World({ channelId: "closed", store });
    await (await world.connect("alice")).leave();
    await world.sleep();
    store.isDown = true;
    expect((await world.connect("alice")).last("room_joined").memberCount).toBe(1);
  });

  it("asks Postgres once for a room that many join at the same time", async () => {
    const world = new World({ channelId: "fresh", settings: { ROOMS_AUTO_CREATE: true } });
    const joined = await Promise.all(["a", "b", "c", "d"].map((user) => world.connect(user)));
    expect(new Set(joined.map((client) => client.last("room_joined").epoch)).size).toBe(1);
  });

  it("goes on where history ends, in a new epoch, when it has lost its storage", async () => {
    const before = new World();
    const alice = await before.connect("alice");
    for (const content of ["one", "two", "three"]) await alice.post(content);
    await before.advance(2_000);
    const after = new World({ store: before.store });
    after.now = before.now;
    const back = await after.connect("alice", { since: `${alice.last("room_joined").epoch}.1` });
    expect(back.last("room_joined")).toMatchObject({ seq: 3, recovered: false });
    expect(back.last("room_joined").epoch).not.toBe(alice.last("room_joined").epoch);
    expect(back.last("room_joined").messages.map(({ content }) => content)).toEqual(["one", "two", "three"]);
    expect(await back.post("four")).toMatchObject({ seq: 4 });
    await after.advance(2_000);
    expect((await after.history()).map(({ content }) => content)).toEqual(["one", "two", "three", "four"]);
  });
});

describe("leaving and joining again on the same socket", () => {
  it("answers room_left, tells the others, and hears nothing more", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await alice.say({ type: "leave_room", roomId: "lobby" });
    expect(alice.last("room_left")).toEqual({ type: "room_left", roomId: "lobby" });
    await world.advance(100);
    expect(bob.last("presence")).toMatchObject({ userId: "alice", status: "offline" });
    await bob.post("psst");
    expect(alice.all("message")).toEqual([]);
    expect(await alice.post("hello?")).toMatchObject({ type: "error", code: "forbidden" });
    expect(alice.closed).toBeUndefined();
  });

  it("joins again from where it stopped", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    const { epoch } = alice.last("room_joined");
    await alice.say({ type: "leave_room", roomId: "lobby" });
    for (const content of ["one", "two", "three"]) await bob.post(content);
    await alice.say({ type: "join_room", roomId: "lobby", since: { epoch, seq: 1 } });
    expect(alice.last("room_joined")).toMatchObject({
      seq: 3,
      recovered: true,
      messages: [{ content: "two" }, { content: "three" }],
    });
    await bob.post("four");
    expect(alice.last("message").content).toBe("four");
  });

  it("A13 keeps a socket to its own room", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    for (const frame of [
      { type: "join_room", roomId: "other" },
      { type: "leave_room", roomId: "other" },
      { type: "message", roomId: "other", content: "hello" },
      { type: "typing", roomId: "other", isTyping: true },
    ]) {
      await alice.say(frame);
      expect(alice.last("error")).toMatchObject({ code: "bad_frame" });
    }
    expect(alice.all("room_joined")).toHaveLength(1);
    expect(alice.all("ack")).toEqual([]);
  });
});
