import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RoomPresence, UserPresence } from "../../protocol/http.ts";
import { ChannelId, type UserId } from "../../protocol/ids.ts";
import { alice, APP, bob, createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { START } from "../support/clock.ts";
import { bearer, problemOf } from "../support/requests.ts";

const ROOM = ChannelId.parse("plans");

let memory: MemoryDeps;
beforeEach(async () => {
  memory = await createMemoryDeps();
  const channel = { app: APP, id: ROOM, name: "Plans", createdBy: alice, members: [], custom: {} };
  await memory.deps.store.createChannel({ ...channel, type: "messaging" });
});
afterEach(() => memory.stop());

const get = async (path: string, user: UserId = alice): Promise<Response> =>
  memory.app.request(path, bearer(await memory.chatToken("rest", user)));

describe("GET /v1/presence", () => {
  it("S4-17 shows a member who is live in the room", async () => {
    const online = [{ userId: bob, username: "Bob" }];
    memory.rooms.presences.set(`${APP}:${ROOM}`, { isMember: true, memberCount: 3, online });
    expect(RoomPresence.parse(await (await get("/v1/presence?roomId=plans")).json())).toEqual({
      roomId: "plans",
      memberCount: 3,
      members: [{ userId: "bob", username: "Bob", status: "online" }],
    });
  });
  it("A11 shows nothing to who is not a member", async () => {
    memory.rooms.presences.set(`${APP}:${ROOM}`, { isMember: false, memberCount: 3, online: [] });
    expect(await problemOf(await get("/v1/presence?roomId=plans", bob))).toEqual({
      status: 404,
      code: "room_not_found",
    });
  });
  it("A11 wakes no room that has no channel", async () => {
    expect((await get("/v1/presence?roomId=made-up")).status).toBe(404);
    expect(memory.rooms.asked).toBe(0);
  });
  it("D17 answers 503 with Retry-After when the room cannot be reached, and asks it once", async () => {
    memory.rooms.isDown = true;
    const response = await get("/v1/presence?roomId=plans");
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await problemOf(response)).toEqual({ status: 503, code: "rooms_unavailable" });
    expect(memory.rooms.asked).toBe(1);
  });
  it("wants a room", async () => {
    expect((await get("/v1/presence")).status).toBe(400);
  });
});

describe("GET /v1/users/{id}/presence", () => {
  it("S4-17 tells whether a user is online, and when they were last", async () => {
    memory.board.seen.set("demo:bob", { online: true, lastSeenAt: new Date(START) });
    expect(UserPresence.parse(await (await get("/v1/users/bob/presence")).json())).toEqual({
      userId: "bob",
      status: "online",
      lastSeen: new Date(START).toISOString(),
    });
    expect(await (await get("/v1/users/carol/presence")).json()).toEqual({
      userId: "carol",
      status: "offline",
      lastSeen: null,
    });
  });
});
