import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ChatError } from "../../protocol/errors.ts";
import { Ban, BanPage, MembersReply, RestrictionReply } from "../../protocol/http.ts";
import { ChannelId, type UserId, UserId as UserIdSchema } from "../../protocol/ids.ts";
import { alice, APP, bob, createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { START } from "../support/clock.ts";
import { bearer, jsonBody, problemOf } from "../support/requests.ts";

const ROOM = ChannelId.parse("plans");
const carol = UserIdSchema.parse("carol");

let memory: MemoryDeps;
let key: string;
beforeEach(async () => {
  memory = await createMemoryDeps();
  key = await memory.apiKey();
});
afterEach(() => memory.stop());

const send = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
  Promise.resolve(
    memory.app.request(path, { ...(body === undefined ? { headers } : jsonBody(body, headers)), method }),
  );
const withKey = (method: string, path: string, body?: unknown) => send(method, path, { "x-api-key": key }, body);
const as = async (user: UserId, method: string, path: string, body?: unknown) =>
  send(method, path, bearer(await memory.chatToken("rest", user)).headers, body);
const actions = async () =>
  (await memory.store.listAudit(APP, { limit: 50 }))
    .map(({ entry }) => [entry.action, entry.subject])
    .filter(([action]) => /^(user|ban|member|channel)\./.test(String(action)))
    .toReversed();

describe("POST /v1/users/{id}/revoke", () => {
  const revoke = () => withKey("POST", "/v1/users/alice/revoke");

  it("J24 refuses tokens and sign-ins from before, and takes those after the answer", async () => {
    const [token, session] = [await memory.chatToken("rest"), await memory.session()];
    const reply = RestrictionReply.parse(await (await revoke()).json());
    expect(reply).toMatchObject({ userId: "alice", banned: false });
    expect(Date.parse(reply.revokedBefore ?? "")).toBe(memory.clock.now());
    const refused = { status: 401, code: "token_revoked" };
    for (const path of ["/v1/channels", "/v1/token", "/v1/users/bob/presence", "/v1/presence?roomId=lobby"])
      expect(await problemOf(await memory.app.request(path, bearer(token)))).toEqual(refused);
    expect(await problemOf(await send("POST", "/v1/token", bearer(session).headers))).toEqual(refused);
    expect((await as(alice, "GET", "/v1/channels")).status).toBe(200);
    const iat = memory.clock.now() / 1_000;
    const again = await memory.session({ iat, exp: iat + 60 });
    expect((await send("POST", "/v1/token", bearer(again).headers)).status).toBe(200);
    expect((await as(bob, "GET", "/v1/channels")).status).toBe(200);
  });

  it("J24 answers only when what is issued from then on can be told apart, by whole seconds", async () => {
    memory.clock.advance(321);
    const { revokedBefore } = RestrictionReply.parse(await (await revoke()).json());
    expect(Date.parse(revokedBefore ?? "") % 1_000).toBe(0);
    expect(memory.clock.now()).toBe(Date.parse(revokedBefore ?? ""));
  });

  it("J24 an exchange that had been let in before everybody knew gets tokens from before", async () => {
    const { take } = memory.limiter;
    memory.limiter.take = async (...call) => {
      const answer = await take.apply(memory.limiter, call);
      memory.clock.advance(5_000);
      return answer;
    };
    const answer = await send("POST", "/v1/token", bearer(await memory.session()).headers);
    const { token } = (await answer.json()) as { token: string };
    const [, payload = ""] = token.split(".");
    expect((JSON.parse(Buffer.from(payload, "base64url").toString()) as { iat: number }).iat).toBe(START / 1_000);
  });

  it("tells everybody: the store with its audit log, Redis, and where the user may be", async () => {
    await revoke();
    const { revokedBefore } = await memory.store.findRestriction(APP, alice);
    expect(memory.restrictions.saved.get("demo:user:alice")).toEqual({ revokedBefore, ban: null });
    expect(memory.rooms.orders).toMatchObject([{ to: "demo", order: { userId: "alice", revokedBefore } }]);
    expect(memory.rooms.orders[0]?.order).not.toHaveProperty("ban");
    expect(await actions()).toEqual([["user.revoke", "alice"]]);
  });

  it.each([
    ["Redis", "storage_unavailable", () => (memory.restrictions.isDown = true)],
    ["the rooms", "rooms_unavailable", () => (memory.rooms.isDown = true)],
  ])(
    "says so when %s cannot be reached, has done the rest, and completes when it is sent again",
    async (_, code, down) => {
      down();
      expect(await problemOf(await revoke())).toEqual({ status: 503, code });
      expect((await memory.store.findRestriction(APP, alice)).revokedBefore).toBeGreaterThan(0);
      expect(memory.restrictions.saved.size + memory.rooms.orders.length).toBe(1);
      memory.restrictions.isDown = memory.rooms.isDown = false;
      expect((await revoke()).status).toBe(200);
      expect((await revoke()).status).toBe(200);
    },
  );

  it("tries a later second when telling everybody took too long", async () => {
    const { saveRestriction } = memory.restrictions;
    let slow = 1;
    memory.restrictions.saveRestriction = async (...call) => {
      if (slow-- > 0) memory.clock.advance(2_000);
      await saveRestriction.apply(memory.restrictions, call);
    };
    const reply = RestrictionReply.parse(await (await revoke()).json());
    expect(Date.parse(reply.revokedBefore ?? "")).toBeGreaterThan(START + 2_000);
    expect(memory.rooms.orders).toHaveLength(2);
    expect(await actions()).toEqual([["user.revoke", "alice"]]);
    slow = 9;
    expect(await problemOf(await revoke())).toEqual({ status: 503, code: "storage_unavailable" });
  });

  it("J24 asks the store when Redis is away, and fails closed when both are", async () => {
    const token = await memory.chatToken("rest");
    await revoke();
    memory.limiter.isDegraded = true;
    const refused = async () => problemOf(await memory.app.request("/v1/channels", bearer(token)));
    expect(await refused()).toEqual({ status: 401, code: "token_revoked" });
    expect((await as(alice, "GET", "/v1/channels")).status).toBe(200);
    memory.deps.store.findRestriction = () => Promise.reject(new ChatError("storage_unavailable"));
    const failed = { status: 503, code: "storage_unavailable" };
    expect(await problemOf(await as(alice, "GET", "/v1/channels"))).toEqual(failed);
    expect(await problemOf(await send("POST", "/v1/token", bearer(await memory.session()).headers))).toEqual(failed);
    expect(await problemOf(await withKey("POST", "/v1/tokens", { userId: "bob" }))).toEqual(failed);
  });

  it("is for an API key of the user's own app only", async () => {
    expect(await problemOf(await as(alice, "POST", "/v1/users/bob/revoke"))).toEqual({
      status: 401,
      code: "invalid_api_key",
    });
    const token = await memory.chatToken("rest");
    key = await memory.apiKey("live", "other" as typeof APP);
    expect((await revoke()).status).toBe(200);
    expect((await memory.app.request("/v1/channels", bearer(token))).status).toBe(200);
  });
});

describe("POST and DELETE /v1/users/{id}/ban", () => {
  const exchange = async () => {
    const iat = memory.clock.now() / 1_000;
    return send("POST", "/v1/token", bearer(await memory.session({ iat, exp: iat + 60 })).headers);
  };

  it("A09 holds when an older change of the same user reaches Redis last", async () => {
    const ban = async () => expect((await withKey("POST", "/v1/users/alice/ban")).status).toBe(200);
    await ban();
    const { restrictions } = memory;
    const save = restrictions.saveRestriction.bind(restrictions);
    let letGo = (): void => {};
    const bannedAgain = new Promise<void>((resolve) => (letGo = resolve));
    let saves = 0;
    restrictions.saveRestriction = async (...call) => {
      if (saves++ === 0) await bannedAgain;
      await save(...call);
    };
    const lifting = withKey("DELETE", "/v1/users/alice/ban");
    await expect.poll(() => saves).toBe(1);
    await ban();
    letGo();
    await lifting;
    memory.clock.advance(60_000);
    const reply = await send("POST", "/v1/token", bearer(await memory.session()).headers);
    expect(await problemOf(reply)).toEqual({ status: 403, code: "banned" });
  });

  it("A09 refuses everything the user could do, and tokens for them, until it is lifted", async () => {
    const old = await memory.chatToken("rest");
    const answer = RestrictionReply.parse(
      await (await withKey("POST", "/v1/users/alice/ban", { reason: "spam" })).json(),
    );
    expect(answer).toMatchObject({ banned: true, bannedUntil: null });
    const refused = { status: 403, code: "banned" };
    expect(await problemOf(await exchange())).toEqual(refused);
    expect(await problemOf(await withKey("POST", "/v1/tokens", { userId: "alice" }))).toEqual(refused);
    expect(await problemOf(await memory.app.request("/v1/channels", bearer(old)))).toEqual(refused);
    expect((await withKey("POST", "/v1/tokens", { userId: "bob" })).status).toBe(200);
    expect(memory.rooms.orders.at(-1)?.order).toMatchObject({ userId: "alice", ban: { until: null } });
    await withKey("DELETE", "/v1/users/alice/ban");
    expect(memory.rooms.orders.at(-1)?.order).toEqual({
      userId: "alice",
      requestId: expect.any(String) as string,
      decidedAt: expect.any(Number) as number,
      ban: null,
    });
    expect((await exchange()).status).toBe(200);
    expect(await problemOf(await memory.app.request("/v1/channels", bearer(old)))).toMatchObject({
      code: "token_revoked",
    });
    expect(await actions()).toEqual([
      ["user.ban", "alice"],
      ["user.unban", "alice"],
    ]);
  });

  it("A09 D16 ends by itself after its seconds", async () => {
    const reply = await withKey("POST", "/v1/users/alice/ban", { seconds: 60 });
    const { bannedUntil } = RestrictionReply.parse(await reply.json());
    expect(Date.parse(bannedUntil ?? "")).toBe(START + 60_000);
    expect((await exchange()).status).toBe(403);
    memory.clock.advance(60_000);
    expect((await exchange()).status).toBe(200);
  });

  it.each([{ seconds: 0 }, { seconds: 1.5 }, { seconds: 1e12 }, { reason: "" }, { until: "tomorrow" }])(
    "takes no %j",
    async (body) => {
      expect(await problemOf(await withKey("POST", "/v1/users/alice/ban", body))).toEqual({
        status: 400,
        code: "bad_request",
      });
    },
  );
});

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
    key = await memory.apiKey("live", "other" as typeof APP);
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
