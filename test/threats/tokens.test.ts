import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readConfig } from "../../domain/config.ts";
import { createBrokenApp } from "../../functions/broken-app.ts";
import { ROUTES } from "../../functions/routes.ts";
import type { TokenReply } from "../../protocol/http.ts";
import { AppId } from "../../protocol/ids.ts";
import { alice, APP, bob, createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { START } from "../support/clock.ts";
import { bearer, jsonBody, problemOf } from "../support/requests.ts";
import { encodePart, rawJwt, signHmac } from "../support/raw-jwt.ts";

const OTHER_APP = AppId.parse("other");

let memory: MemoryDeps;
beforeEach(async () => {
  memory = await createMemoryDeps();
});
afterEach(() => memory.stop());

const get = async (path: string, init?: RequestInit): Promise<Response> => memory.app.request(path, init);
const mint = async (body: unknown, headers: Record<string, string>): Promise<Response> =>
  memory.app.request("/v1/tokens", jsonBody(body, headers));
const create = async (body: unknown): Promise<Response> =>
  memory.app.request("/v1/channels", jsonBody(body, { authorization: `Bearer ${await memory.chatToken("rest")}` }));

describe("kinds of tokens", () => {
  it("T01 refuses a wsToken on HTTP and says which of the two was expected", async () => {
    const response = await get("/v1/channels", bearer(await memory.chatToken("ws")));
    expect(await response.json()).toMatchObject({
      status: 401,
      code: "wrong_token_kind",
      detail: "You passed wsToken, expected token",
    });
  });
  it("T01 refuses an internal token on HTTP", async () => {
    const response = await get("/v1/channels", bearer(await memory.chatToken("internal")));
    expect(await problemOf(response)).toEqual({ status: 401, code: "wrong_token_kind" });
  });
  it("T01 refuses a rest token that was signed with another kind's key", async () => {
    const { current } = memory.deps.tokenKeys;
    const forged = await signedBy(current.keys.ws, current.headers.rest, restClaims());
    expect(await problemOf(await get("/v1/channels", bearer(forged)))).toEqual({ status: 401, code: "bad_signature" });
  });
  it("T01 refuses a rest token that is meant for another kind's doors", async () => {
    const { current } = memory.deps.tokenKeys;
    const good = await signedBy(current.keys.rest, current.headers.rest, restClaims());
    expect((await get("/v1/channels", bearer(good))).status).toBe(200);
    const foreign = await signedBy(current.keys.rest, current.headers.rest, restClaims({ aud: "chat:ws" }));
    expect(await problemOf(await get("/v1/channels", bearer(foreign)))).toEqual({
      status: 401,
      code: "wrong_audience",
    });
  });
  it("T01 refuses a chat token where a session token is wanted", async () => {
    const response = await get("/v1/token", { method: "POST", ...bearer(await memory.chatToken("rest")) });
    expect(await problemOf(response)).toEqual({ status: 401, code: "wrong_token_kind" });
  });
  it("T04 refuses a session token where a chat token is wanted", async () => {
    const response = await get("/v1/channels", bearer(await memory.session()));
    expect(await problemOf(response)).toEqual({ status: 401, code: "token_malformed" });
  });
  it("T16 refuses tokens that a client made for itself", async () => {
    const claims = { user_id: "alice", sub: "alice", iat: 1, exp: 9_999_999_999, app: "demo" };
    const unsigned = rawJwt({ alg: "HS256", typ: "JWT" }, claims, () => "devtoken");
    const none = rawJwt({ alg: "none", typ: "chat-rest+jwt" }, claims, () => "");
    const guessed = rawJwt({ alg: "HS256", typ: "chat-rest+jwt", kid: "0" }, claims, signHmac("secret"));
    for (const token of [unsigned, none, guessed]) expect((await get("/v1/channels", bearer(token))).status).toBe(401);
  });
});

describe("who may mint", () => {
  const forServers: [method: string, path: string][] = [
    ["POST", "/v1/tokens"],
    ["POST", "/tokens"],
    ["POST", "/api/tokens"],
    ["POST", "/v1/users/bob/revoke"],
    ["POST", "/v1/users/bob/ban"],
    ["DELETE", "/v1/users/bob/ban"],
    ["GET", "/v1/moderation"],
    ["PUT", "/v1/moderation"],
    ["GET", "/v1/audit"],
  ];
  it.each(forServers)("T02 refuses a user's token on a route for servers: %s %s", async (method, path) => {
    const tokens = [await memory.session(), await memory.chatToken("rest"), await memory.chatToken("internal")];
    for (const token of tokens) {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const body = method === "GET" ? {} : jsonBody({ userId: "bob" }, headers);
      const response = await get(path, { ...body, method, headers });
      expect(await problemOf(response)).toEqual({ status: 401, code: "invalid_api_key" });
    }
  });
  it("T02 knows every route for servers", () => {
    const routes = ROUTES.filter(({ auth, isOpen }) => auth.join() === "key" && isOpen === undefined);
    const paths = routes.flatMap(({ method, path, aliases = [] }) => [path, ...aliases].map((one) => [method, one]));
    expect(paths.map(([method, path]) => [method, path?.replace(":id", "bob")])).toEqual(forServers);
  });
  it("T02 refuses an API key where a user is wanted", async () => {
    const response = await get("/v1/channels", { headers: { "x-api-key": await memory.apiKey() } });
    expect(await problemOf(response)).toEqual({ status: 401, code: "token_missing" });
  });

  it("T03 keeps the users and channels of two apps apart, whatever their ids", async () => {
    const theirs = await memory.apiKey("live", OTHER_APP);
    const reply = (await (await mint({ userId: "alice" }, { "x-api-key": theirs })).json()) as TokenReply;
    const made = await memory.app.request(
      "/v1/channels",
      jsonBody({ channel_id: "plans" }, { authorization: `Bearer ${await memory.chatToken("rest")}` }),
    );
    expect(made.status).toBe(201);
    for (const path of ["/v1/channels/plans", "/v1/channels/plans/messages", "/v1/presence?roomId=plans"])
      expect(await problemOf(await get(path, bearer(reply.token)))).toEqual({ status: 404, code: "room_not_found" });
    const again = await memory.app.request(
      "/v1/channels",
      jsonBody({ channel_id: "plans" }, { authorization: `Bearer ${reply.token}` }),
    );
    expect(again.status).toBe(201);
  });
  it.each<[method: string, path: string, body?: object]>([
    ["GET", "/bans"],
    ["POST", "/bans", { userId: "bob" }],
    ["DELETE", "/bans/bob"],
    ["POST", "/members", { userIds: ["bob"] }],
    ["DELETE", "/members/bob"],
    ["GET", "/moderation"],
    ["PUT", "/moderation", { mode: "block", blocked: [], allowed: [] }],
  ])("T03 lets nobody manage another app's channel: %s %s", async (method, path, body) => {
    expect((await create({ channel_id: "plans" })).status).toBe(201);
    const owner = await memory.chatToken("rest", alice, OTHER_APP);
    for (const headers of [bearer(owner).headers, { "x-api-key": await memory.apiKey("live", OTHER_APP) }]) {
      const init = body === undefined ? { headers } : jsonBody(body, headers);
      const response = await get(`/v1/channels/plans${path}`, { ...init, method });
      expect(await problemOf(response)).toEqual({ status: 404, code: "room_not_found" });
    }
  });
  it("T03 cannot name another app in a request", async () => {
    const key = await memory.apiKey("live", OTHER_APP);
    expect((await mint({ userId: "alice", app: "demo" }, { "x-api-key": key })).status).toBe(400);
  });

  it("T07 takes the user from the session, whatever the body says", async () => {
    const response = await memory.app.request(
      "/v1/token",
      jsonBody({ userId: "mallory", user_id: 7 }, { authorization: `Bearer ${await memory.session()}` }),
    );
    expect(await response.json()).toMatchObject({ userId: "alice", user: { id: "alice" } });
  });

  it.each([
    { role: "admin" },
    { permissions: ["*"] },
    { tenantId: "t" },
    { app: "other" },
    { exp: 9e9 },
    { iss: "x" },
    { sub: "admin" },
  ])("T08 refuses fields that are not the caller's to set: %j", async (extra) => {
    const key = await memory.apiKey();
    const minted = await mint({ userId: "bob", ...extra }, { "x-api-key": key });
    expect(await problemOf(minted)).toEqual({ status: 400, code: "bad_request" });
    const token = await memory.chatToken("rest");
    const created = await memory.app.request(
      "/v1/channels",
      jsonBody({ channel_id: "c1", ...extra }, { authorization: `Bearer ${token}` }),
    );
    expect(await problemOf(created)).toEqual({ status: 400, code: "bad_request" });
    const exchanged = await memory.app.request(
      "/v1/token",
      jsonBody({ ...extra }, { authorization: `Bearer ${await memory.session()}` }),
    );
    expect(await problemOf(exchanged)).toEqual({ status: 400, code: "bad_request" });
  });

  it("T08 keeps custom and lets it decide nothing", async () => {
    const key = await memory.apiKey();
    const custom = { role: "admin", permissions: ["*"], app: "other" };
    const minted = (await (await mint({ userId: "bob", custom }, { "x-api-key": key })).json()) as TokenReply;
    expect(await memory.deps.store.upsertUser(APP, { id: bob })).toMatchObject({ custom });
    const made = await memory.app.request(
      "/v1/channels",
      jsonBody(
        { channel_id: "secret", type: "private" },
        { authorization: `Bearer ${await memory.chatToken("rest")}` },
      ),
    );
    expect(made.status).toBe(201);
    expect((await get("/v1/channels/secret", bearer(minted.token))).status).toBe(404);
  });

  const deep = (levels: number): object => (levels === 0 ? {} : { a: deep(levels - 1) });
  it.each<[string, unknown, number]>([
    ["2 KiB and more", { text: "x".repeat(2_049) }, 400],
    ["64 kB", { text: "x".repeat(65_536) }, 413],
    ["5 levels", deep(4), 400],
    ["50 levels", deep(50), 400],
    ["33 keys", Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`k${n}`, n])), 400],
    ["1,000 keys", Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n])), 400],
    ["a list", ["a"], 400],
    ["a text", "admin", 400],
    ["NUL", { text: "\u0000" }, 400],
    ["a lone surrogate", { text: "\ud800" }, 400],
  ])("T09 refuses a custom of %s, for a user and for a channel", async (_, custom, status) => {
    expect((await mint({ userId: "bob", custom }, { "x-api-key": await memory.apiKey() })).status).toBe(status);
    expect((await create({ channel_id: "c1", custom })).status).toBe(status);
  });
  it.each<[string, unknown]>([
    ["2 KiB", { text: "x".repeat(2_048 - '{"text":""}'.length) }],
    ["4 levels", deep(3)],
    ["32 keys", Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`k${n}`, n]))],
  ])("T09 takes a custom of %s, for a user and for a channel", async (_, custom) => {
    expect((await mint({ userId: "bob", custom }, { "x-api-key": await memory.apiKey() })).status).toBe(200);
    expect((await create({ channel_id: "c1", custom })).status).toBe(201);
  });

  it.each([999_999_999, -1, 0, 59, "1e9", 1e9, 60.5, null])("T18 refuses a life of %j seconds", async (expiresIn) => {
    const response = await mint({ userId: "bob", expiresIn }, { "x-api-key": await memory.apiKey() });
    expect(await problemOf(response)).toEqual({ status: 400, code: "bad_request" });
  });
  it("T18 gives no longer life than the deployment allows, and a shorter one if asked", async () => {
    const short = await createMemoryDeps({ TOKEN_TTL_SECONDS: "600" });
    const key = await short.apiKey();
    const ask = async (expiresIn: number) =>
      short.app.request("/v1/tokens", jsonBody({ userId: "bob", expiresIn }, { "x-api-key": key }));
    expect((await ask(601)).status).toBe(400);
    expect(await (await ask(300)).json()).toMatchObject({ expiresIn: 300 });
    await short.stop();
  });
});

describe("a deployment that is not configured safely", () => {
  const production = { ENVIRONMENT: "production", CHAT_JWT_SECRET: "q8Zr3vKx0Lw7Ty2Bn5Mj9Hc4Fd6Gs1Pa" };
  it.each(["true", "TRUE", "1", "yes", " true ", "on"])(
    "T15 serves nothing with DEV_MODE=%j in production",
    async (devMode) => {
      const broken = createBrokenApp(readConfig({ ...production, DEV_MODE: devMode }));
      for (const [path, init] of [
        ["/v1/token", { method: "POST" }],
        ["/v1/tokens", { method: "POST" }],
        ["/v1/channels", {}],
        ["/ws", {}],
        ["/nowhere", {}],
      ] as const)
        expect(await problemOf(await broken.request(path, init))).toEqual({ status: 503, code: "config_invalid" });
      expect((await broken.request("/healthz")).status).toBe(200);
      const health = await broken.request("/api/chat/health");
      expect(health.status).toBe(503);
      expect(await health.json()).toMatchObject({ status: "unhealthy", checks: [{ name: "config" }] });
    },
  );
  it("T17 serves nothing without a secret, and names the setting, not a value", async () => {
    const report = readConfig({ DATABASE_URL: "postgresql://u:canary-pw@db/x", CHAT_JWT_SECRET: "" });
    const health = await createBrokenApp(report).request("/v1/health");
    const text = await health.text();
    expect(health.status).toBe(503);
    expect(text).toContain("CHAT_JWT_SECRET");
    expect(text).not.toContain("canary-pw");
  });
});

/** The claims of a good rest token of alice's; what is given wins. */
function restClaims(claims: object = {}): object {
  return {
    user_id: "alice",
    app: APP,
    iss: memory.deps.tokenKeys.issuer,
    sub: "alice",
    aud: "chat:rest",
    iat: START / 1_000,
    exp: START / 1_000 + 60,
    jti: "token-1",
    ...claims,
  };
}
async function signedBy(key: CryptoKey, header: string, claims: object): Promise<string> {
  const input = `${header}.${encodePart(claims)}`;
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(input));
  return `${input}.${encodePart(new Uint8Array(signature))}`;
}
