import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createApp } from "../../functions/app.ts";
import { ConnectionReply, HealthReply, SignInReply } from "../../protocol/http.ts";
import { createMemoryDeps, type MemoryDeps, PAGE_ORIGIN } from "../support/memory-deps.ts";
import { problemOf } from "../support/requests.ts";

let memory: MemoryDeps;
beforeEach(async () => {
  memory = await createMemoryDeps();
});
afterEach(() => memory.stop());

const failing = { ping: () => Promise.reject(new Error("postgresql://u:pw-canary@db.internal.example is down")) };
const hanging = { ping: () => new Promise<void>(() => {}) };
const broken = (change: Partial<MemoryDeps["deps"]>) => createApp({ ...memory.deps, ...change });

describe("GET /healthz", () => {
  it("S4-1 answers that the service is alive, and asks nothing", async () => {
    const response = await memory.app.request("/healthz");
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
    expect([memory.rooms.asked, memory.keyServer.requests]).toEqual([0, 0]);
  });
});

describe.each(["/v1/health", "/api/chat/health"])("GET %s", (path) => {
  const ask = async (app = memory.app): Promise<HealthReply & { http: number }> => {
    const response = await app.request(path);
    return { ...HealthReply.parse(await response.json()), http: response.status };
  };

  it("S2-6 S2-7 is healthy when everything answers", async () => {
    const { status, http, warnings, checks } = await ask();
    expect({ status, http, warnings }).toEqual({ status: "healthy", http: 200, warnings: [] });
    expect(checks.map(({ name }) => name)).toEqual(["config", "postgres", "redis", "rooms", "identity"]);
  });
  it("S2-7 is unhealthy without Postgres, with a hint and without an address", async () => {
    const health = await ask(broken({ store: { ...memory.deps.store, ...failing } }));
    expect(health).toMatchObject({ status: "unhealthy", http: 503 });
    expect(health.checks).toContainEqual(
      expect.objectContaining({ name: "postgres", status: "unhealthy", hint: expect.stringContaining("DATABASE_URL") }),
    );
    expect(JSON.stringify(health)).not.toMatch(/canary|internal\.example/);
  });
  it("S2-7 is unhealthy without rooms", async () => {
    memory.rooms.isDown = true;
    expect(await ask()).toMatchObject({ status: "unhealthy", http: 503 });
  });
  it("S2-7 S2-27 is degraded without Redis, for limits are counted locally then", async () => {
    const health = await ask(broken({ redis: failing }));
    expect(health).toMatchObject({ status: "degraded", http: 200 });
    expect(health.warnings).toHaveLength(1);
  });
  it("O09 D07 is degraded with 200 for a minute after the limiter had to count by itself", async () => {
    memory.limiter.isDegraded = true;
    await memory.app.request("/v1/token", {
      method: "POST",
      headers: { authorization: `Bearer ${await memory.session()}` },
    });
    expect(await ask()).toMatchObject({
      status: "degraded",
      http: 200,
      checks: expect.arrayContaining([expect.objectContaining({ name: "redis", status: "degraded" })]),
    });
    memory.clock.advance(61_000);
    expect(await ask()).toMatchObject({ status: "healthy" });
  });
  it("D10 O09 is degraded when the identity provider is away, with keys and without", async () => {
    memory.keyServer.fail();
    const health = await ask();
    expect(health).toMatchObject({ status: "degraded", http: 200 });
    expect(health.checks).toContainEqual(expect.objectContaining({ name: "identity", status: "unhealthy" }));
  });
  it("gives up on what hangs, each check by itself", async () => {
    const startedAt = performance.now();
    const health = await ask(broken({ redis: hanging, rooms: { ...memory.rooms, ...hanging } as never }));
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(health.checks.map(({ status }) => status)).toEqual([
      "healthy",
      "healthy",
      "degraded",
      "unhealthy",
      "healthy",
    ]);
  });
  it("asks once a second, however often it is asked itself", async () => {
    for (let n = 0; n < 20; n++) await ask();
    await Promise.all(Array.from({ length: 20 }, () => ask()));
    expect(memory.rooms.asked).toBe(1);
    memory.clock.advance(1_000);
    await Promise.all(Array.from({ length: 20 }, () => ask()));
    expect(memory.rooms.asked).toBe(2);
  });
  it("says which settings were read from an alias", async () => {
    const aliased = await createMemoryDeps({ CLERK_JWKS_URL: "", OIDC_JWKS_URL: `${memory.keyServer.url}/jwks` });
    const { checks } = await ask(aliased.app);
    expect(checks[0]).toMatchObject({ name: "config", hint: "CLERK_JWKS_URL is read from OIDC_JWKS_URL" });
    await aliased.stop();
  });
});

describe.each(["/v1/test-connection", "/api/chat/test-connection"])("GET %s", (path) => {
  const PRODUCTION = {
    ENVIRONMENT: "production",
    PARTY_URL: "https://rooms.example.com",
    CLERK_AUTHORIZED_PARTIES: PAGE_ORIGIN,
    CLERK_JWKS_URL: "https://issuer.example.com/jwks",
  };
  it("S2-5 goes to every dependency and says how long each took", async () => {
    const response = await memory.app.request(path);
    const reply = ConnectionReply.parse(await response.json());
    expect([response.status, reply.ok]).toEqual([200, true]);
    expect(reply.steps.map(({ name, ok }) => [name, ok])).toEqual([
      ["postgres", true],
      ["redis", true],
      ["room", true],
      ["tokens", true],
    ]);
  });
  it("answers 503 with a hint when a step fails", async () => {
    const response = await broken({ redis: failing }).request(path);
    const text = await response.text();
    expect(response.status).toBe(503);
    expect(ConnectionReply.parse(JSON.parse(text))).toMatchObject({ ok: false });
    expect(text).toContain("UPSTASH_REDIS_REST_URL");
    expect(text).not.toContain("canary");
  });
  it("O03 wants an API key in production", async () => {
    const production = await createMemoryDeps(PRODUCTION);
    expect(await problemOf(await production.app.request(path))).toEqual({ status: 401, code: "invalid_api_key" });
    const headers = { "x-api-key": await production.apiKey() };
    expect((await production.app.request(path, { headers })).status).toBe(200);
    await production.stop();
  });
});

describe("GET /v1/sign-in", () => {
  it.each<[string, Record<string, string>, SignInReply]>([
    [
      "the local issuer",
      { DEV_MODE: "true", LOCAL_ISSUER: "http://127.0.0.1:9" },
      { provider: "local", issuer: "http://127.0.0.1:9" },
    ],
    ["any issuer", {}, { provider: "oidc", issuer: "https://issuer.example.com" }],
    [
      "Clerk",
      { CLERK_PUBLISHABLE_KEY: "pk_test_abc" },
      { provider: "clerk", issuer: "https://issuer.example.com", publishableKey: "pk_test_abc" },
    ],
    ["nothing", { CLERK_JWT_ISSUER: "", CLERK_JWKS_URL: "" }, { provider: "none", issuer: null }],
  ])("names %s", async (_, variables, expected) => {
    const deployment = await createMemoryDeps(variables);
    expect(SignInReply.parse(await (await deployment.app.request("/v1/sign-in")).json())).toEqual(expected);
    await deployment.stop();
  });
});

describe.each(["/ws", "/api/ws"])("GET %s without an upgrade", (path) => {
  it("W04 says that WebSocket is spoken there", async () => {
    const response = await memory.app.request(path);
    expect(response.headers.get("upgrade")).toBe("websocket");
    expect(await problemOf(response)).toEqual({ status: 426, code: "upgrade_required" });
    expect((await memory.app.request(path, { method: "POST" })).status).toBe(405);
  });
});
