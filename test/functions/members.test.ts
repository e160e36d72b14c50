import { beforeEach, describe, expect, it } from "vitest";
import { MembersReply } from "../../protocol/http.ts";
import { alice, APP, bob } from "../support/memory-deps.ts";
import { problemOf } from "../support/requests.ts";
import { actions, as, memory, ROOM, withKey, openDeploymentForEachTest } from "./manage-people.ts";

openDeploymentForEachTest();

describe("a channel's members", () => {
  const path = `/v1/channels/${ROOM}/members`;
  beforeEach(async () => {
    const channel = { app: APP, id: ROOM, name: "Plans", createdBy: alice, members: [], custom: {} };
    await memory.store.createChannel({ ...channel, type: "private" });
  });

  it("A10 S0-26 are added and removed, by the owner and by a server", async () => {
    const added = await as(alice, "POST", path, { userIds: ["bob", "bob", "carol"] });
    expect(MembersReply.parse(await added.json())).toEqual({ memberCount: 3, members: ["alice", "bob", "carol"] });
    expect((await as(bob, "GET", `/v1/channels/${ROOM}`)).status).toBe(200);
    expect(await (await withKey("DELETE", `${path}/bob`)).json()).toEqual({ userId: "bob", removed: true });
    expect(await problemOf(await as(bob, "GET", `/v1/channels/${ROOM}/messages`))).toMatchObject({ status: 404 });
    expect(memory.rooms.orders).toEqual([
      { to: "demo:plans", order: { order: "remove", userId: "bob", requestId: expect.any(String) as string } },
    ]);
    expect(await actions()).toEqual([
      ["channel.create", "plans"],
      ["member.add", "bob"],
      ["member.add", "carol"],
      ["member.remove", "bob"],
    ]);
  });

  it("A10 are removed although their room made them members only then, with one line in the audit log", async () => {
    const { orderRoom } = memory.rooms;
    memory.rooms.hadJoined = true;
    memory.rooms.orderRoom = async (...order) => {
      await memory.store.writeBatch({ ...joining, events: [], reads: [] });
      return orderRoom.apply(memory.rooms, order);
    };
    const joining = { app: APP, channelId: ROOM, members: [{ userId: bob, readSeq: 0 }] };
    expect(await (await as(alice, "DELETE", `${path}/bob`)).json()).toEqual({ userId: "bob", removed: true });
    expect(await memory.store.findMember(APP, ROOM, bob)).toBeUndefined();
    expect((await actions()).filter(([action]) => action === "member.remove")).toEqual([["member.remove", "bob"]]);
  });

  it("A10 may remove themselves, and nobody else", async () => {
    await as(alice, "POST", path, { userIds: ["bob", "carol"] });
    expect((await as(bob, "DELETE", `${path}/carol`)).status).toBe(403);
    expect((await as(bob, "DELETE", `${path}/bob`)).status).toBe(200);
    expect((await as(bob, "DELETE", `${path}/bob`)).status).toBe(404);
  });

  it.each([{ userIds: [] }, { userIds: ["a b"] }, { userIds: Array.from({ length: 101 }, (_, at) => `u${at}`) }, {}])(
    "takes no %j",
    async (body) => {
      expect(await problemOf(await as(alice, "POST", path, body))).toEqual({ status: 400, code: "bad_request" });
    },
  );
});
