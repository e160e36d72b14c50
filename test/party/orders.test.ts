import { describe, expect, it } from "vitest";
import type { BanRecord } from "../../domain/ports/bans.ts";
import { UserId } from "../../protocol/ids.ts";
import { World, type WorldOptions } from "./world.ts";
import type { Client } from "./client.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe.each([
  ["awake", false],
  ["asleep between any two events", true],
])("orders about people, in a room that is %s", (_, sleepy) => {
  const open = (options: WorldOptions = {}) => new World({ ...options, sleepy });
  const bob = (world: World) => world.connect("bob");
  const codeOf = (client: Client) => client.closed?.code;
  const admission = async (world: World, user: string) => {
    const answer = await world.request("admission", await world.token(user));
    return answer.status === 204 ? "welcome" : ((await answer.json()) as { code: string }).code;
  };

  it("A09 a ban ends every socket of the user, and nobody else's", async () => {
    const world = open();
    const [first, second, alice] = [await bob(world), await bob(world), await world.connect("alice")];
    expect(await world.order({ order: "ban", userId: "bob", until: null })).toBe(2);
    expect([first, second, alice].map(codeOf)).toEqual([4506, 4506, undefined]);
    expect(await alice.post("still here")).toMatchObject({ type: "ack" });
  });

  it("A09 refuses somebody who is banned, at the first question and at the door, also to resume", async () => {
    const world = open();
    const before = await bob(world);
    const { epoch } = before.last("room_joined");
    await world.order({ order: "ban", userId: "bob", until: null });
    expect(await admission(world, "bob")).toBe("banned");
    const again = await world.connect("bob", { since: `${epoch}.0` });
    expect(again.closed).toEqual({ code: 4506, reason: "banned" });
    expect(again.all("room_joined")).toEqual([]);
  });

  it("A09 keeps who is banned from the room's tail and its people", async () => {
    const world = open();
    await bob(world);
    const isMember = async () => {
      const answer = await world.request("tail", await world.token("bob", { kind: "internal" }));
      return ((await answer.json()) as { isMember: boolean }).isMember;
    };
    expect(await isMember()).toBe(true);
    await world.order({ order: "ban", userId: "bob", until: null });
    expect(await isMember()).toBe(false);
    await world.order({ order: "lift", userId: "bob" });
    expect(await isMember()).toBe(true);
  });

  it("keeps a ban that comes before anybody has ever been in the room", async () => {
    const world = open();
    expect(await world.order({ order: "ban", userId: "bob", until: null })).toBe(0);
    expect((await world.connect("alice")).closed).toBeUndefined();
    expect(codeOf(await bob(world))).toBe(4506);
  });

  it("lets in again once a ban is lifted, or has ended", async () => {
    const world = open();
    await world.order({ order: "ban", userId: "bob", until: null });
    await world.order({ order: "lift", userId: "bob" });
    expect((await bob(world)).closed).toBeUndefined();
    await world.order({ order: "ban", userId: "bob", until: world.now + HOUR });
    expect(await admission(world, "bob")).toBe("banned");
    await world.advance(HOUR);
    expect(await admission(world, "bob")).toBe("welcome");
  });

  it("A09 a ban and its lifting may arrive in any order: what was decided last holds", async () => {
    const world = open();
    const ban = { order: "ban", userId: "bob", until: null } as const;
    const lift = { order: "lift", userId: "bob" } as const;
    const at = world.now;
    await world.order({ ...lift, decidedAt: at + 2 });
    expect(await world.order({ ...ban, decidedAt: at + 1 })).toBe(0);
    const socket = await bob(world);
    expect(socket.closed).toBeUndefined();
    expect(await world.order({ ...ban, decidedAt: at + 2.001 })).toBe(1);
    expect(codeOf(socket)).toBe(4506);
    await world.order({ ...lift, decidedAt: at + 1.5 });
    expect(await admission(world, "bob")).toBe("banned");
    await world.order({ ...lift, decidedAt: at + 3 });
    expect(await admission(world, "bob")).toBe("welcome");
  });

  it("A09 a mute that was lifted before it arrives silences nobody", async () => {
    const world = open();
    const [socket, at] = [await bob(world), world.now];
    await world.order({ order: "lift", userId: "bob", decidedAt: at + 2 });
    await world.order({ order: "mute", userId: "bob", until: null, decidedAt: at + 1 });
    expect(await socket.post("hello")).toMatchObject({ type: "ack" });
    expect(await (await bob(world)).post("hello")).toMatchObject({ type: "ack" });
  });

  it("A09 D16 a ban holds although the store's clock was an hour ahead at the last lifting", async () => {
    const world = open();
    await world.order({ order: "lift", userId: "bob", decidedAt: world.now + HOUR });
    await world.order({ order: "ban", userId: "bob", until: null, decidedAt: world.now });
    expect(await admission(world, "bob")).toBe("banned");
  });

  it("D16 a clock that jumps a day and back neither frees for good nor bans for good", async () => {
    const world = open();
    const until = world.now + HOUR;
    await world.order({ order: "ban", userId: "bob", until });
    world.now = until + DAY;
    expect(await admission(world, "bob")).toBe("welcome");
    for (const now of [until - HOUR, until - DAY, until - 1_000]) {
      world.now = now;
      expect(await admission(world, "bob")).toBe("banned");
    }
    world.now = until;
    expect(await admission(world, "bob")).toBe("welcome");
  });

  it("mutes: messages are refused with the time to wait, everything else goes on", async () => {
    const world = open();
    const [client, alice] = [await bob(world), await world.connect("alice")];
    const until = world.now + 30_000;
    expect(await world.order({ order: "mute", userId: "bob", until })).toBe(0);
    await world.advance(1_000);
    const answer = await client.post("hello", "muted-0001");
    const retryAfterMs = until - world.now;
    expect(answer).toMatchObject({ type: "error", code: "muted", clientMessageId: "muted-0001", retryAfterMs });
    await alice.post("for bob");
    expect(client.last("message").content).toBe("for bob");
    await world.advance(29_000);
    expect(await client.post("hello", "muted-0001")).toMatchObject({ type: "ack", duplicate: false });
  });

  it("mutes who comes later, and until it is lifted when there is no end", async () => {
    const world = open();
    await world.order({ order: "mute", userId: "bob", until: null });
    const client = await bob(world);
    const answer = await client.post("hello");
    expect(answer).toMatchObject({ type: "error", code: "muted" });
    expect(answer).not.toHaveProperty("retryAfterMs");
    await world.order({ order: "lift", userId: "bob" });
    expect(await client.post("hello")).toMatchObject({ type: "ack" });
  });

  it("tells who is muted in the meantime that their message had been taken", async () => {
    const world = open();
    const client = await bob(world);
    const ack = await client.post("once", "client-0001");
    await world.order({ order: "mute", userId: "bob", until: null });
    expect(await client.post("once", "client-0001")).toEqual({ ...ack, duplicate: true });
  });

  it("A10 ends the sockets of somebody who was removed; an open room lets them join again", async () => {
    const world = open();
    const [client, alice] = [await bob(world), await world.connect("alice")];
    expect(await world.order({ order: "remove", userId: "bob" })).toBe(1);
    await alice.post("not for bob");
    expect(codeOf(client)).toBe(4503);
    expect(client.all("message")).toEqual([]);
    expect((await bob(world)).closed).toBeUndefined();
  });

  it("A10 a closed room asks history anew about somebody who was removed", async () => {
    const world = open({ channelId: "plans" });
    const { app, channelId, store } = world;
    const entry = () => ({ id: crypto.randomUUID(), at: 0, action: "member.remove" as const, actor: "alice" });
    const audit = () => ({ ...entry(), channelId, subject: "bob", requestId: null, detail: null });
    const userId = UserId.parse("bob");
    const channel = { app, id: channelId, type: "private" as const, name: "Plans", createdBy: "alice", custom: {} };
    await store.createChannel({ ...channel, members: [userId] });
    expect((await bob(world)).closed).toBeUndefined();
    await store.removeMember(app, channelId, userId, audit());
    await world.order({ order: "remove", userId: "bob" });
    expect(codeOf(await bob(world))).toBe(4503);
    await store.addMembers(app, channelId, [userId], [audit()]);
    expect((await bob(world)).closed).toBeUndefined();
  });

  it("A10 forgets that somebody had joined whom history does not know yet", async () => {
    const world = open();
    await bob(world);
    await world.order({ order: "remove", userId: "bob" });
    await world.advance(5_000);
    expect(await world.store.findMember(world.app, world.channelId, UserId.parse("bob"))).toBeUndefined();
  });

  it("reads the channel's bans when it has lost what it kept", async () => {
    const world = open();
    const until = new Date(world.now + HOUR);
    const set = async (user: string, kind: BanRecord["kind"]) => {
      const [userId, createdAt] = [UserId.parse(user), new Date(world.now)];
      const audit = { id: crypto.randomUUID(), at: 0, action: "ban.set" as const, actor: "alice", detail: null };
      const place = { channelId: world.channelId, subject: user, requestId: null };
      const ban = { userId, kind, until, reason: null, createdBy: "alice", createdAt };
      await world.store.setBan(world.app, world.channelId, ban, { ...audit, ...place });
    };
    await set("bob", "ban");
    await set("carol", "mute");
    expect(codeOf(await bob(world))).toBe(4506);
    const carol = await world.connect("carol");
    const answer = await carol.post("hello");
    expect(answer).toMatchObject({ type: "error", code: "muted", retryAfterMs: until.getTime() - world.now });
  });

  it("D08 drops all revocations and bans that mean nothing any more, and none that do", async () => {
    const world = open();
    const { storage } = world.platform;
    const names = Array.from({ length: 130 }, (_, at) => `u${at}`);
    for (const name of names)
      await storage.put({
        [`out:a-${name}`]: world.now - 4 * DAY,
        [`ban:a-${name}`]: { kind: "ban", until: world.now - 4 * DAY },
        [`ban:b-${name}`]: { kind: "lifted", until: null, decidedAt: world.now - 4 * DAY },
      });
    const kept = {
      "ban:ended-just-now": { kind: "ban", until: world.now - 1 },
      "ban:for-good": { kind: "ban", until: null },
      "ban:lifted-just-now": { kind: "lifted", until: null, decidedAt: world.now - 1 },
      "ban:muted": { kind: "mute", until: world.now + HOUR },
    };
    await storage.put({ ...kept, "out:revoked": world.now });
    await world.order({ order: "lift", userId: "zed", decidedAt: world.now });
    expect(storage.keys("out:")).toEqual(["out:revoked"]);
    expect(storage.keys("ban:")).toEqual([...Object.keys(kept), "ban:zed"]);
  });

  it("A12 takes orders of our own Worker only, and tells nobody else that it takes any", async () => {
    const world = open();
    const body = { order: "ban", userId: "alice", until: null, requestId: "r1" };
    const ask = async (token: string | undefined, method = "POST") =>
      (await world.request("people", token, method, body)).status;
    expect(await ask(undefined)).toBe(404);
    expect(await ask(await world.token("bob"))).toBe(404);
    expect(await ask(await world.token("bob", { kind: "rest" }))).toBe(404);
    expect(await ask(await world.token("bob", { kind: "internal", app: "other" }))).toBe(404);
    expect(await ask(await world.token("bob", { kind: "internal" }), "GET")).toBe(404);
    expect(await admission(world, "alice")).toBe("welcome");
  });
});
