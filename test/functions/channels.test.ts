import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Channel, ChannelPage } from "../../protocol/http.ts";
import type { UserId } from "../../protocol/ids.ts";
import { alice, APP, bob, createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { bearer, jsonBody, problemOf } from "../support/requests.ts";

let memory: MemoryDeps;
beforeEach(async () => {
  memory = await createMemoryDeps({ CHANNEL_RATE_LIMIT: "1000" });
});
afterEach(() => memory.stop());

const as = async (user: UserId): Promise<Record<string, string>> => ({
  authorization: `Bearer ${await memory.chatToken("rest", user)}`,
});
const create = async (body: unknown, headers: Record<string, string>, path = "/v1/channels"): Promise<Response> =>
  memory.app.request(path, jsonBody(body, headers));
const get = async (path: string, user: UserId = alice): Promise<Response> =>
  memory.app.request(path, { headers: await as(user) });

describe.each(["/v1/channels", "/stream/channel"])("POST %s", (path) => {
  it("S0-2 S0-4 creates a channel whose owner and first member is the caller", async () => {
    const response = await create({ channel_id: "plans", channel_name: "Plans" }, await as(alice), path);
    expect(response.status).toBe(201);
    expect(Channel.parse(await response.json())).toEqual({
      id: "plans",
      channelId: "plans",
      channel_id: "plans",
      name: "Plans",
      channel_name: "Plans",
      type: "messaging",
      createdBy: "alice",
      createdAt: new Date(memory.clock.now()).toISOString(),
      seq: 0,
      role: "owner",
      memberCount: 1,
      members: ["alice"],
      custom: {},
    });
  });
  it("S0-2 takes a session token as well", async () => {
    const session = { authorization: `Bearer ${await memory.session()}` };
    expect(await (await create({ channel_id: "plans" }, session, path)).json()).toMatchObject({ createdBy: "alice" });
  });
  it("takes every name of the id, and refuses two that differ or none", async () => {
    const headers = await as(alice);
    for (const name of ["channel_id", "channelId", "roomId"])
      expect((await create({ [name]: `by-${name}` }, headers, path)).status).toBe(201);
    expect((await create({ channel_id: "same", roomId: "same" }, headers, path)).status).toBe(201);
    for (const body of [{ channel_id: "a", roomId: "b" }, {}, { name: "x", channel_name: "y", roomId: "c" }])
      expect(await problemOf(await create(body, headers, path))).toEqual({ status: 400, code: "bad_request" });
  });
});

describe("creating a channel", () => {
  it("A02 S0-24 is done once for its creator, and not at all for others", async () => {
    const body = { channel_id: "plans", name: "Plans", type: "private", members: ["bob"], custom: { a: 1, b: [2] } };
    expect((await create(body, await as(alice))).status).toBe(201);
    const again = { ...body, custom: { b: [2], a: 1 } };
    expect((await create(again, await as(alice))).status).toBe(200);
    expect(await problemOf(await create(body, await as(bob)))).toEqual({ status: 409, code: "channel_exists" });
    expect(await memory.deps.store.findChannel(APP, "plans" as never)).toMatchObject({ createdBy: "alice" });
  });
  it.each([{ name: "Other" }, { type: "team" }, { members: ["carol"] }, { custom: { a: 2 } }])(
    "A02 refuses the same id with other parameters: %j",
    async (change) => {
      const body = { channel_id: "plans", name: "Plans", type: "private", custom: { a: 1 } };
      await create(body, await as(alice));
      const response = await create({ ...body, ...change }, await as(alice));
      expect(await problemOf(response)).toEqual({ status: 409, code: "channel_exists" });
    },
  );
  it("A02 is done once when an API key asks twice, and its channel has no owner", async () => {
    const key = { "x-api-key": await memory.apiKey() };
    const made = await create({ channel_id: "news", members: ["bob"] }, key);
    expect(await made.json()).toMatchObject({ createdBy: "app:demo", members: ["bob"], memberCount: 1 });
    expect((await create({ channel_id: "news", members: ["bob"] }, key)).status).toBe(200);
    expect((await create({ channel_id: "news" }, await as(bob))).status).toBe(409);
  });
  it.each(["__proto__", "constructor", "main", "admin", "system"])("A03 refuses the reserved id %s", async (id) => {
    const response = await create({ channel_id: id }, await as(alice));
    expect(await problemOf(response)).toEqual({ status: 400, code: "reserved_id" });
  });
  it("A03 leaves the lobby to everybody", async () => {
    expect((await create({ channel_id: "lobby" }, await as(alice))).status).toBe(409);
    expect(await (await get("/v1/channels/lobby", bob)).json()).toMatchObject({ id: "lobby", type: "lobby" });
  });
  it.each(["", " ", "a b", "a/b", "ä", "x".repeat(65), "a:b", "a.b"])("S0-24 refuses the id %j", async (id) => {
    const response = await create({ channel_id: id }, await as(alice));
    expect(await problemOf(response)).toEqual({ status: 400, code: "bad_room_id" });
  });
  it("A14 gives one row and one 201 when 50 ask at once", async () => {
    const headers = await as(alice);
    const answers = await Promise.all(Array.from({ length: 50 }, () => create({ channel_id: "race" }, headers)));
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([...Array.from({ length: 49 }, () => 200), 201]);
  });
  it("refuses more than 100 members, unknown types and the lobby's type", async () => {
    const headers = await as(alice);
    const members = Array.from({ length: 101 }, (_, n) => `user-${n}`);
    for (const body of [{ members }, { type: "lobby" }, { type: "gaming" }])
      expect((await create({ channel_id: "c1", ...body }, headers)).status).toBe(400);
  });
});

describe("GET /v1/channels", () => {
  it("pages through the caller's channels and nobody else's", async () => {
    for (const id of ["c", "a", "d", "b"]) await create({ channel_id: id }, await as(alice));
    await create({ channel_id: "bobs" }, await as(bob));
    const first = ChannelPage.parse(await (await get("/v1/channels?limit=3")).json());
    expect(first.channels.map(({ id }) => id)).toEqual(["a", "b", "c"]);
    expect(first.channels[0]).toMatchObject({ role: "owner", readSeq: 0, unread: 0 });
    const second = ChannelPage.parse(await (await get(`/v1/channels?limit=3&after=${first.next}`)).json());
    expect([second.channels.map(({ id }) => id), second.next]).toEqual([["d"], null]);
  });
  it("A06 refuses limits outside 1 to 200, and cursors that are no id", async () => {
    for (const limit of ["0", "-1", "201", "1e9", "all", "NaN", "1.5", "", "007", "9007199254740993"])
      expect(await problemOf(await get(`/v1/channels?limit=${limit}`))).toEqual({ status: 400, code: "bad_request" });
    expect(await problemOf(await get("/v1/channels?after=a%20b"))).toEqual({ status: 400, code: "bad_cursor" });
    expect((await get("/v1/channels?limit=5&limit=5")).status).toBe(400);
    expect((await get("/v1/channels?page=2")).status).toBe(400);
  });
});

describe("GET /v1/channels/{id}", () => {
  it("shows a member all of it, and who may join only that it is there", async () => {
    await create({ channel_id: "open", members: ["carol"], custom: { a: 1 } }, await as(alice));
    expect(await (await get("/v1/channels/open")).json()).toMatchObject({
      role: "owner",
      memberCount: 2,
      members: ["alice", "carol"],
      custom: { a: 1 },
      unread: 0,
    });
    const seen = (await (await get("/v1/channels/open", bob)).json()) as object;
    expect(seen).toMatchObject({ id: "open", type: "messaging" });
    for (const field of ["members", "memberCount", "role", "custom", "unread"]) expect(seen).not.toHaveProperty(field);
  });
  it.each(["private", "team", "dm"])("A01 W16 is not there for who is not in a %s channel", async (type) => {
    await create({ channel_id: "closed", type, members: ["carol"] }, await as(alice));
    expect(await problemOf(await get("/v1/channels/closed", bob))).toEqual({ status: 404, code: "room_not_found" });
    expect((await get("/v1/channels/closed")).status).toBe(200);
  });
});

describe("limits", () => {
  it("S0-15 S1-15 S3-16 says what is left, and when refused, when to come back", async () => {
    const small = await createMemoryDeps({ TOKEN_RATE_LIMIT: "2" });
    const exchange = async (sub: string) =>
      small.app.request("/v1/token", { method: "POST", ...bearer(await small.session({ sub })) });
    const first = await exchange("alice");
    expect(first.headers.get("ratelimit-policy")).toBe('"token";q=2;w=900');
    expect(first.headers.get("ratelimit")).toBe('"token";r=1;t=900');
    expect(first.headers.get("retry-after")).toBeNull();
    small.clock.advance(30_000);
    await exchange("alice");
    const refused = await exchange("alice");
    expect(refused.headers.get("ratelimit")).toBe('"token";r=0;t=870');
    expect(refused.headers.get("retry-after")).toBe("870");
    expect(await problemOf(refused)).toEqual({ status: 429, code: "rate_limited" });
    expect((await exchange("bob")).status).toBe(200);
    small.clock.advance(870_000);
    expect((await exchange("alice")).status).toBe(200);
    await small.stop();
  });
  it("counts mint by the user who is minted for, and channels and reads by who asks", async () => {
    const { limiter } = memory;
    await memory.app.request("/v1/tokens", jsonBody({ userId: "bob" }, { "x-api-key": await memory.apiKey() }));
    await create({ channel_id: "c1" }, await as(alice));
    await get("/v1/channels");
    await get("/v1/channels/c1/messages");
    expect(limiter.taken).toEqual([
      { policy: "mint", identity: "demo:user:bob" },
      { policy: "channel", identity: "demo:user:alice" },
      { policy: "read", identity: "demo:user:alice" },
      { policy: "read", identity: "demo:user:alice" },
    ]);
  });
});
