import { jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Channel, TokenReply } from "../../protocol/http.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { START } from "../support/clock.ts";
import { bearer, jsonBody, problemOf } from "../support/requests.ts";
import { StreamServer } from "../support/stream-server.ts";

const APP = { apiKey: "streamkey123", secret: "stream-secret-q8Zr3vKx0Lw7Ty2Bn5Mj9Hc4", now: () => START };

let stream: StreamServer;
let memory: MemoryDeps;
beforeEach(async () => {
  stream = await StreamServer.start(APP);
  memory = await createMemoryDeps({
    CHAT_DRIVER: "stream",
    STREAM_API_KEY: APP.apiKey,
    STREAM_API_SECRET: APP.secret,
    STREAM_CHAT_BASE_URL: stream.url,
    STREAM_CHAT_TIMEOUT: "400",
  });
});
afterEach(() => Promise.all([stream.stop(), memory.stop()]));

const create = async (body: unknown, sub = "alice"): Promise<Response> =>
  memory.app.request("/stream/channel", jsonBody(body, { authorization: `Bearer ${await memory.session({ sub })}` }));

describe("POST /stream/token for a Stream customer", () => {
  it("S0-1 S0-33 answers Stream's user token, in the same shape as ever", async () => {
    const response = await memory.app.request("/stream/token", { method: "POST", ...bearer(await memory.session()) });
    const reply = TokenReply.parse(await response.json());
    expect(reply).toMatchObject({ userId: "alice", user_id: "alice", apiKey: APP.apiKey, expiresIn: 86_400 });
    expect(reply.wsUrl).toBe(`${stream.url.replace("http", "ws")}/connect`);
    expect(reply.wsToken).toBe(reply.token);
    const { payload, protectedHeader } = await jwtVerify(reply.token, new TextEncoder().encode(APP.secret), {
      algorithms: ["HS256"],
      currentDate: new Date(START),
    });
    expect(protectedHeader).toEqual({ alg: "HS256", typ: "JWT" });
    expect(payload).toEqual({ user_id: "alice", iat: START / 1_000, exp: START / 1_000 + 86_400 });
    expect(stream.requests).toEqual([]);
  });
  it("mints the same for an API key", async () => {
    const response = await memory.app.request(
      "/tokens",
      jsonBody({ userId: "bob" }, { "x-api-key": await memory.apiKey() }),
    );
    expect(TokenReply.parse(await response.json())).toMatchObject({ userId: "bob", apiKey: APP.apiKey });
  });
});

describe("POST /stream/channel for a Stream customer", () => {
  it("S0-2 S0-3 creates the channel there, with its creator and members", async () => {
    const response = await create({
      channel_id: "plans",
      channel_name: "Plans",
      members: ["bob"],
      custom: { created_by_id: "eve" },
    });
    expect(response.status).toBe(201);
    expect(Channel.parse(await response.json())).toMatchObject({
      channel_id: "plans",
      channel_name: "Plans",
      type: "messaging",
      createdBy: "alice",
      role: "owner",
      members: ["alice", "bob"],
      memberCount: 2,
      custom: { created_by_id: "eve" },
    });
    expect(stream.channels.get("messaging:plans")).toMatchObject({ createdBy: "alice", members: ["alice", "bob"] });
  });
  it("A02 finds it there for its creator and refuses others", async () => {
    const body = { channel_id: "plans", type: "private", custom: { a: 1 } };
    expect((await create(body)).status).toBe(201);
    const again = await create(body);
    expect([again.status, await again.json()]).toEqual([200, expect.objectContaining({ type: "private" })]);
    expect(await problemOf(await create(body, "bob"))).toEqual({ status: 409, code: "channel_exists" });
  });
  it("A02 gives a channel that several create at once to one of them, and to the others a refusal", async () => {
    const body = { channel_id: "plans" };
    let waiting = 0;
    const allHaveLooked = Promise.withResolvers<void>();
    stream.hold = async (path) => {
      if (path !== "/channels") return;
      if (++waiting === 3) allHaveLooked.resolve();
      await allHaveLooked.promise;
    };
    const users = ["alice", "bob", "carol"];
    const answers = await Promise.all(users.map((user) => create(body, user)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
    stream.hold = undefined;
    const owner = stream.channels.get("messaging:plans")?.createdBy;
    expect((await create(body, owner)).status).toBe(200);
    expect(users[answers.findIndex(({ status }) => status === 201)]).toBe(owner);
  });
  it("A02 leaves the profiles of those it names as they are, and creates who is missing", async () => {
    const profile = { id: "bob", role: "admin", name: "Bob", book: "dune" };
    stream.users.set("bob", profile);
    stream.users.set("carol", { id: "carol", role: "moderator", deactivated: true });
    expect((await create({ channel_id: "plans", members: ["bob", "carol", "dave"] })).status).toBe(201);
    expect(stream.users.get("bob")).toEqual(profile);
    expect(stream.users.get("carol")).toMatchObject({ role: "moderator" });
    expect(stream.users.get("dave")).toEqual({ id: "dave", role: "user" });
    const sent = stream.requests.filter(({ method, path }) => method === "POST" && path === "/users");
    expect(sent.map(({ body }) => body)).toEqual([{ users: { alice: { id: "alice" }, dave: { id: "dave" } } }]);
  });
  it("creates nobody when all are there", async () => {
    for (const id of ["alice", "bob"]) stream.users.set(id, { id, role: "user" });
    expect((await create({ channel_id: "plans", members: ["bob"] })).status).toBe(201);
    expect(stream.requests.filter(({ method, path }) => method === "POST" && path === "/users")).toEqual([]);
  });
  it("A02 names as many members as a request may, new ones and old ones", async () => {
    const members = Array.from({ length: LIMITS.membersPerCreate }, (_, n) => `user-${n}`);
    expect(await (await create({ channel_id: "new", members })).json()).toMatchObject({ memberCount: 101 });
    for (const id of members) stream.users.set(id, { id, role: "admin" });
    expect((await create({ channel_id: "old", members })).status).toBe(201);
    expect(new Set(members.map((id) => stream.users.get(id)?.role))).toEqual(new Set(["admin"]));
  });
  it("makes an app's channel in the name of the app", async () => {
    const key = { "x-api-key": await memory.apiKey() };
    const response = await memory.app.request(
      "/stream/channel",
      jsonBody({ channel_id: "news", type: "livestream" }, key),
    );
    expect(await response.json()).toMatchObject({ createdBy: "app:demo", type: "livestream", members: [] });
    expect([...stream.users.keys()]).toEqual(["parley-app-demo"]);
  });
  it("says that the provider refuses what it refuses", async () => {
    expect(await problemOf(await create({ channel_id: "plans" }, "auth0|7"))).toEqual({
      status: 400,
      code: "bad_request",
    });
  });
  it.each<[string, () => void]>([
    ["fails", () => (stream.misbehave = (response) => void response.writeHead(500).end())],
    ["does not know the key", () => (stream.misbehave = (response) => void response.writeHead(401).end())],
    ["limits us", () => (stream.misbehave = (response) => void response.writeHead(429).end())],
    ["answers nonsense", () => (stream.misbehave = (response) => void response.end("{}"))],
    ["hangs", () => (stream.misbehave = () => {})],
  ])("answers 503 with Retry-After when the provider %s", async (_, misbehave) => {
    misbehave();
    const response = await create({ channel_id: "plans" });
    expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(await problemOf(response)).toEqual({ status: 503, code: "driver_unavailable" });
  });
  it("shows nothing of the provider's secret anywhere", async () => {
    stream.misbehave = (response) => void response.writeHead(500).end(APP.secret);
    const text = await (await create({ channel_id: "plans" })).text();
    expect(text + memory.lines.join()).not.toContain(APP.secret);
  });
});
