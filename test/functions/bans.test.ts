import { beforeEach, describe, expect, it } from "vitest";
import { Ban, BanPage } from "../../protocol/http.ts";
import { ChannelId } from "../../protocol/ids.ts";
import { alice, APP, bob } from "../support/memory-deps.ts";
import { START } from "../support/clock.ts";
import { problemOf } from "../support/requests.ts";
import {
  actions,
  becomeAnotherApp,
  as,
  carol,
  memory,
  ROOM,
  withKey,
  openDeploymentForEachTest,
} from "./manage-people.ts";

openDeploymentForEachTest();

describe("a channel's bans", () => {
  const path = `/v1/channels/${ROOM}/bans`;
  beforeEach(async () => {
    const channel = { app: APP, id: ROOM, name: "Plans", createdBy: alice, members: [bob], custom: {} };
    await memory.store.createChannel({ ...channel, type: "private" });
  });

  it("A09 the owner bans: history and the channel are closed as to a stranger, and the room is told", async () => {
    const answer = await as(alice, "POST", path, { userId: "bob", seconds: 3_600, reason: "spam" });
    expect(Ban.parse(await answer.json())).toEqual({
      userId: "bob",
      kind: "ban",
      until: new Date(START + 3_600_000).toISOString(),
      reason: "spam",
      createdBy: "alice",
      createdAt: new Date(START).toISOString(),
    });
    expect(memory.rooms.orders).toMatchObject([
      { to: "demo:plans", order: { order: "ban", userId: "bob", until: START + 3_600_000, decidedAt: START } },
    ]);
    for (const there of [`/v1/channels/${ROOM}`, `/v1/channels/${ROOM}/messages`, `/v1/presence?roomId=${ROOM}`])
      expect(await problemOf(await as(bob, "GET", there))).toEqual({ status: 404, code: "room_not_found" });
    memory.clock.advance(3_600_000);
    expect((await as(bob, "GET", `/v1/channels/${ROOM}`)).status).toBe(200);
  });

  it("A11 an open channel tells who is banned what it tells a stranger", async () => {
    const open = ChannelId.parse("open");
    const channel = { app: APP, id: open, name: "Open", createdBy: alice, members: [bob], custom: {} };
    await memory.store.createChannel({ ...channel, type: "messaging" });
    await as(alice, "POST", "/v1/channels/open/bans", { userId: "bob" });
    const [banned, stranger] = [await as(bob, "GET", "/v1/channels/open"), await as(carol, "GET", "/v1/channels/open")];
    expect(await banned.json()).toEqual(await stranger.json());
    expect((await as(bob, "GET", "/v1/channels/open/messages")).status).toBe(404);
  });

  it("a server of the app may, whoever made the channel; the answer names it", async () => {
    const ban = Ban.parse(await (await withKey("POST", path, { userId: "bob", kind: "mute" })).json());
    expect(ban).toMatchObject({ kind: "mute", until: null, createdBy: expect.stringMatching(/^key:/) as string });
    expect((await as(bob, "GET", `/v1/channels/${ROOM}`)).status).toBe(200);
    expect(await actions()).toContainEqual(["ban.set", "bob"]);
  });

  it("A04 nobody else may, and a stranger learns nothing", async () => {
    for (const [method, where, body] of [
      ["POST", path, { userId: "carol" }],
      ["GET", path, undefined],
      ["DELETE", `${path}/bob`, undefined],
      ["POST", `/v1/channels/${ROOM}/members`, { userIds: ["mallory"] }],
      ["DELETE", `/v1/channels/${ROOM}/members/alice`, undefined],
    ] as const) {
      expect(await problemOf(await as(bob, method, where, body))).toEqual({ status: 403, code: "forbidden" });
      expect(await problemOf(await as(carol, method, where, body))).toEqual({ status: 404, code: "room_not_found" });
    }
    await becomeAnotherApp();
    expect(await problemOf(await withKey("POST", path, { userId: "bob" }))).toEqual({
      status: 404,
      code: "room_not_found",
    });
    expect(memory.rooms.orders).toEqual([]);
  });

  it("nobody bans or removes the owner", async () => {
    const refused = { status: 403, code: "forbidden" };
    expect(await problemOf(await withKey("POST", path, { userId: "alice" }))).toEqual(refused);
    expect(await problemOf(await as(alice, "POST", path, { userId: "alice" }))).toEqual(refused);
    expect(await problemOf(await withKey("DELETE", `/v1/channels/${ROOM}/members/alice`))).toEqual(refused);
    expect(memory.rooms.orders).toEqual([]);
  });

  it("are listed in pages, and lifted", async () => {
    for (const userId of ["bob", "carol", "erin|auth0"]) await withKey("POST", path, { userId });
    const first = BanPage.parse(await (await as(alice, "GET", `${path}?limit=2`)).json());
    expect([first.bans.map(({ userId }) => userId), first.next]).toEqual([["bob", "carol"], "carol"]);
    const second = BanPage.parse(await (await as(alice, "GET", `${path}?limit=2&after=carol`)).json());
    expect([second.bans.map(({ userId }) => userId), second.next]).toEqual([["erin|auth0"], null]);
    expect(await (await as(alice, "DELETE", `${path}/erin%7Cauth0`)).json()).toEqual({
      userId: "erin|auth0",
      lifted: true,
    });
    expect(await (await as(alice, "DELETE", `${path}/erin%7Cauth0`)).json()).toMatchObject({ lifted: false });
    expect(memory.rooms.orders.at(-1)?.order).toMatchObject({ order: "lift", userId: "erin|auth0", decidedAt: START });
  });

  it("works for the lobby, which has no owner, with an API key only", async () => {
    expect((await withKey("POST", "/v1/channels/lobby/bans", { userId: "bob" })).status).toBe(200);
    expect((await as(alice, "POST", "/v1/channels/lobby/bans", { userId: "bob" })).status).toBe(403);
  });

  it("says so when the room cannot be told, and completes when it is sent again", async () => {
    memory.rooms.isDown = true;
    expect(await problemOf(await as(alice, "POST", path, { userId: "bob" }))).toEqual({
      status: 503,
      code: "rooms_unavailable",
    });
    memory.rooms.isDown = false;
    expect((await as(alice, "POST", path, { userId: "bob" })).status).toBe(200);
  });
});
