import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createApiKey, createKeyRing, isSameInConstantTime, verifyApiKey } from "../../domain/api-keys.ts";
import { readConfig } from "../../domain/config.ts";
import type { ApiKeyRecord } from "../../domain/ports/api-keys.ts";
import { readBearer } from "../../domain/socket-auth.ts";
import { createBrokenApp } from "../../functions/broken-app.ts";
import type { TokenReply } from "../../protocol/http.ts";
import { AppId, UserId } from "../../protocol/ids.ts";
import { alice, APP, bob, createMemoryDeps, type MemoryDeps, PAGE_ORIGIN } from "../support/memory-deps.ts";
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
  it("T02 refuses a user's token on the route for servers", async () => {
    for (const token of [await memory.session(), await memory.chatToken("rest")]) {
      const response = await memory.app.request(
        "/v1/tokens",
        jsonBody({ userId: "bob" }, { authorization: `Bearer ${token}` }),
      );
      expect(await problemOf(response)).toEqual({ status: 401, code: "invalid_api_key" });
    }
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
    ["5 levels", deep(5), 400],
    ["50 levels", deep(50), 400],
    ["33 keys", Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`k${n}`, n])), 400],
    ["1,000 keys", Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n])), 400],
    ["a list", ["a"], 400],
    ["a text", "admin", 400],
    ["NUL", { text: "\u0000" }, 400],
    ["a lone surrogate", { text: "\ud800" }, 400],
  ])("T09 refuses a custom of %s", async (_, custom, status) => {
    expect((await mint({ userId: "bob", custom }, { "x-api-key": await memory.apiKey() })).status).toBe(status);
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

describe("API keys", () => {
  it("T10 answers every wrong key alike", async () => {
    const good = await memory.apiKey();
    const [, , id = "", secret = ""] = good.split("_");
    const wrong = [
      "chatsdk_live_xxx",
      `chatsdk_live_${id}_${"A".repeat(43)}`,
      `chatsdk_live_aaaaaaaaaaaa_${secret}`,
      `chatsdk_test_${id}_${secret}`,
      `${good}A`,
      good.toUpperCase(),
      "",
      "undefined",
    ];
    const bodies = new Set<string>();
    for (const key of wrong) {
      const response = await mint({ userId: "bob" }, { "x-api-key": key });
      bodies.add(`${response.status} ${(await response.text()).replace(/"requestId":"[^"]*"/, "")}`);
    }
    expect(bodies.size).toBe(1);
    expect([...bodies][0]).toContain("invalid_api_key");
  });

  it("T10 stops an address after 10 wrong keys in a minute, right ones included, and lets it go on after", async () => {
    const good = await memory.apiKey();
    const tryKey = async (key: string) => mint({ userId: "bob" }, { "x-api-key": key });
    for (let n = 0; n < 10; n++) expect((await tryKey(`chatsdk_live_wrong${n}`)).status).toBe(401);
    const refused = await tryKey("chatsdk_live_wrong");
    expect(refused.headers.get("retry-after")).toBe("60");
    expect(await problemOf(refused)).toEqual({ status: 429, code: "rate_limited" });
    expect((await tryKey(good)).status).toBe(429);
    memory.clock.advance(60_000);
    expect((await tryKey(good)).status).toBe(200);
  });

  it("T10 asks the store once for an unknown id that is tried again and again", async () => {
    let asked = 0;
    const store = {
      findApiKey: async () => {
        asked += 1;
        return undefined;
      },
    };
    const ring = createKeyRing({ store, environment: "test", now: memory.clock.now });
    const { key } = await createApiKey(APP, "live", new Date());
    for (let n = 0; n < 5; n++)
      await expect(verifyApiKey(ring, key)).rejects.toMatchObject({ code: "invalid_api_key" });
    expect(asked).toBe(1);
    memory.clock.advance(5_000);
    await expect(verifyApiKey(ring, key)).rejects.toMatchObject({ code: "invalid_api_key" });
    expect(asked).toBe(2);
  });

  it("T11 keeps a hash only, and compares every character of it", async () => {
    const { key, record } = await createApiKey(APP, "live", new Date());
    const secret = key.slice(key.lastIndexOf("_") + 1);
    expect(JSON.stringify(record)).not.toContain(secret);
    expect(record.hash).toMatch(/^[0-9a-f]{64}$/);
    for (const hash of [
      `0${record.hash.slice(1)}x`,
      record.hash.slice(0, -1),
      `${record.hash}0`,
      "",
      flip(record.hash),
    ]) {
      const ring = ringWith({ ...record, hash });
      await expect(verifyApiKey(ring, key)).rejects.toMatchObject({ code: "invalid_api_key" });
    }
    expect(await verifyApiKey(ringWith(record), key)).toEqual({ app: APP, keyId: record.id });
  });

  it("T11 looks at every character of both hashes, wherever they differ", () => {
    const hash = "0123456789abcdef".repeat(4);
    const places = Array.from(hash, (_, at) => at);
    const others = places.map((at) => `${hash.slice(0, at)}x${hash.slice(at + 1)}`);
    for (const other of [hash, "x".repeat(64), ...others]) {
      const [left, right] = [watched(hash), watched(other)];
      expect(isSameInConstantTime(left, right)).toBe(other === hash);
      expect([left.seen, right.seen]).toEqual([places, places]);
    }
  });
  it("T11 takes no shorter or longer text for the same", () => {
    for (const other of ["", "ab", "abcd"]) expect(isSameInConstantTime("abc", other)).toBe(false);
    expect(isSameInConstantTime("abc", "abc")).toBe(true);
  });

  it("T11 makes keys of full entropy", async () => {
    const keys = await Promise.all(Array.from({ length: 200 }, () => createApiKey(APP, "live", new Date())));
    const text = keys.map(({ key }) => key.slice(key.lastIndexOf("_") + 1)).join("");
    expect(new Set(keys.map(({ key }) => key)).size).toBe(200);
    const counts = [...new Set(text)].map((letter) => text.split(letter).length - 1);
    expect(counts).toHaveLength(62);
    // 8,600 letters over 62: about 139 each, and far from it only if some came up more often.
    expect(Math.max(...counts)).toBeLessThan(210);
    expect(Math.min(...counts)).toBeGreaterThan(80);
  });

  it("T12 refuses a key in the address, in the body, and from a browser", async () => {
    const key = await memory.apiKey();
    for (const query of [`api_key=${key}`, `apiKey=${key}`, `X-API-Key=${key}`])
      expect((await memory.app.request(`/v1/tokens?${query}`, jsonBody({ userId: "bob" }))).status).toBe(401);
    expect((await mint({ userId: "bob", apiKey: key }, {})).status).toBe(401);
    expect((await mint({ userId: "bob", apiKey: key }, { "x-api-key": key })).status).toBe(400);
    const browser = await mint({ userId: "bob" }, { "x-api-key": key, origin: PAGE_ORIGIN });
    expect(await problemOf(browser)).toEqual({ status: 403, code: "key_in_browser" });
    const channel = await memory.app.request(
      "/v1/channels",
      jsonBody({ channel_id: "c1" }, { "x-api-key": key, origin: "null" }),
    );
    expect(await problemOf(channel)).toEqual({ status: 403, code: "key_in_browser" });
  });

  it("T13 stops a revoked key within 60 s", async () => {
    const key = await memory.apiKey();
    const ask = async () => (await mint({ userId: "bob" }, { "x-api-key": key })).status;
    expect(await ask()).toBe(200);
    const [, , id = ""] = key.split("_");
    await memory.deps.store.revokeApiKey(id, new Date(memory.clock.now()));
    memory.clock.advance(60_000);
    expect(await ask()).toBe(401);
  });

  it("T14 refuses a test key in production, by its own segment and not by chance letters", async () => {
    const production = await createMemoryDeps({
      ENVIRONMENT: "production",
      PARTY_URL: "https://rooms.example.com",
      CLERK_AUTHORIZED_PARTIES: PAGE_ORIGIN,
      CLERK_JWKS_URL: "https://issuer.example.com/.well-known/jwks.json",
    });
    const ask = async (key: string) =>
      (await production.app.request("/v1/tokens", jsonBody({ userId: "bob" }, { "x-api-key": key }))).status;
    expect(await ask(await production.apiKey("test"))).toBe(401);
    expect(await ask(await production.apiKey("live"))).toBe(200);
    await production.stop();
    const { record } = await createApiKey(APP, "live", new Date());
    const secret = `devtestdemo${"A".repeat(32)}`;
    const named = { ...record, hash: await sha256(secret) };
    const ring = createKeyRing({ ...ringWith(named), environment: "production" });
    expect(await verifyApiKey(ring, `chatsdk_live_${record.id}_${secret}`)).toEqual({ app: APP, keyId: record.id });
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

describe("how a token is brought", () => {
  let token: string;
  let session: string;
  beforeEach(async () => {
    token = await memory.chatToken("rest", alice);
    session = await memory.session();
  });
  it.each(["Bearer", "bearer", "BEARER"])("T19 takes one token after %s", async (scheme) => {
    expect((await get("/v1/channels", { headers: { authorization: `${scheme} ${token}` } })).status).toBe(200);
  });
  it.each<[string, (token: string) => [string, string][]]>([
    [
      "two headers",
      (one) => [
        ["authorization", `Bearer ${one}`],
        ["authorization", `Bearer ${one}`],
      ],
    ],
    ["two in one header", (one) => [["authorization", `Bearer ${one}, Bearer ${one}`]]],
    ["two spaces", (one) => [["authorization", `Bearer  ${one}`]]],
    ["a tab", (one) => [["authorization", `Bearer\t${one}`]]],
    ["no scheme", (one) => [["authorization", one]]],
    ["Basic", (one) => [["authorization", `Basic ${btoa(`user:${one}`)}`]]],
    ["Token", (one) => [["authorization", `Token ${one}`]]],
    ["a parameter", (one) => [["authorization", `Bearer token="${one}"`]]],
    ["quotes", (one) => [["authorization", `Bearer "${one}"`]]],
    ["nothing", () => [["authorization", "Bearer"]]],
    ["a cookie", (one) => [["cookie", `__session=${one}; token=${one}`]]],
    ["another header", (one) => [["x-access-token", one]]],
  ])("T19 refuses %s", async (_, headersOf) => {
    for (const [path, method, one] of [
      ["/v1/channels", "GET", token],
      ["/v1/token", "POST", session],
    ] as const)
      expect((await get(path, { method, headers: headersOf(one) })).status).toBe(401);
  });

  it("T19 says the same of a header that is not one token over HTTP as at a socket", async () => {
    for (const authorization of ["Bearer", `Basic ${btoa("alice:pw")}`, `Bearer ${token}, Bearer ${token}`]) {
      const response = await get("/v1/channels", { headers: { authorization } });
      expect(await problemOf(response)).toEqual({ status: 401, code: "token_malformed" });
      expect(() => readBearer(authorization)).toThrow(expect.objectContaining({ code: "token_malformed" }));
    }
    expect(await problemOf(await get("/v1/channels"))).toEqual({ status: 401, code: "token_missing" });
  });

  it.each(["token", "access_token", "id_token", "jwt", "Token"])("T20 refuses a token as ?%s=", async (name) => {
    const alone = await get(`/v1/channels?${name}=${token}`);
    expect(await problemOf(alone)).toEqual({ status: 401, code: "token_missing" });
    expect((await get(`/v1/channels?limit=1&${name}=${token}`, bearer(token))).status).toBe(401);
    expect((await get(`/v1/token?${name}=${session}`, { method: "POST", ...bearer(session) })).status).toBe(401);
  });
  it("T20 leaves no token in a log line", async () => {
    const logging = await createMemoryDeps({ ENABLE_LOGGING: "true" });
    const good = await logging.chatToken("rest");
    await logging.app.request(`/v1/channels?token=${good}`, bearer(good));
    await logging.app.request(`/v1/users/${good}/presence`, bearer(good));
    expect(logging.lines).toHaveLength(2);
    expect(logging.lines.join("\n")).not.toContain(good.slice(0, 20));
    await logging.stop();
  });
});

describe("chat tokens", () => {
  let deployment: MemoryDeps;
  beforeEach(async () => {
    deployment = await createMemoryDeps();
  });
  afterEach(() => deployment.stop());

  it("J08 S3-8 end when they say, and not before", async () => {
    const token = await deployment.chatToken("rest", UserId.parse("dora"));
    const ask = async () => deployment.app.request("/v1/channels", bearer(token));
    deployment.clock.advance(3_599_000);
    expect((await ask()).status).toBe(200);
    deployment.clock.advance(6_001);
    expect(await problemOf(await ask())).toEqual({ status: 401, code: "token_expired" });
  });
  it("J12 are refused by another deployment with the same secret", async () => {
    const elsewhere = await createMemoryDeps({ PUBLIC_URL: "https://elsewhere.example.com" });
    const foreign = await elsewhere.chatToken("rest");
    const response = await memory.app.request("/v1/channels", bearer(foreign));
    expect(await problemOf(response)).toEqual({ status: 401, code: "wrong_issuer" });
    await elsewhere.stop();
  });
});

function ringWith(record: ApiKeyRecord) {
  return createKeyRing({ store: { findApiKey: async () => record }, environment: "test", now: () => 0 });
}
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
/** A text that notes which of its characters were looked at. */
function watched(text: string): { length: number; charCodeAt: (at: number) => number; seen: number[] } {
  const seen: number[] = [];
  return {
    length: text.length,
    charCodeAt: (at) => {
      seen.push(at);
      return text.charCodeAt(at);
    },
    seen,
  };
}
function flip(hash: string): string {
  return hash.slice(0, -1) + (hash.endsWith("0") ? "1" : "0");
}
async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toString("hex");
}
