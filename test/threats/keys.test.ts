import { describe, expect, it } from "vitest";
import { createSigningKey, KeyServer, signWith } from "../support/key-server.ts";
import { createMemoryDeps, sessionClaims } from "../support/memory-deps.ts";
import { problemOf } from "../support/requests.ts";
import { signIn } from "./sign-ins.ts";
import { ISSUER, memory, MINUTE, openIssuerForEachTest, second, signedBy, statusOf, unknownToken } from "./issuer.ts";

openIssuerForEachTest();

describe("rotation of an issuer's keys", () => {
  it("K01 takes the first token of a new key, right after the set was fetched", async () => {
    expect(await statusOf(await memory.session())).toBe(200);
    memory.keyServer.keys.push(await second);
    expect(await statusOf(await signedBy(await second))).toBe(200);
    expect(await statusOf(await memory.session({ sub: "bob" }))).toBe(200);
    expect(memory.keyServer.requests).toBe(2);
  });

  it("D16 takes a new key's token soon after a clock that was an hour ahead was set back", async () => {
    memory.clock.advance(60 * MINUTE);
    expect(await statusOf(await memory.session())).toBe(200);
    expect(await statusOf(await unknownToken("nobody's"))).toBe(401);
    memory.clock.advance(-60 * MINUTE);
    memory.keyServer.keys = [await second];
    expect(await statusOf(await signedBy(await second))).toBe(401);
    memory.clock.advance(MINUTE / 2);
    expect(await statusOf(await signedBy(await second))).toBe(200);
  });

  it("K02 refuses a key that was taken out within 10 minutes, and what it signed before", async () => {
    const exp = memory.clock.now() / 1_000 + 3_600;
    const early = await memory.session({ exp });
    expect(await statusOf(early)).toBe(200);
    memory.keyServer.keys = [await second];
    memory.clock.advance(10 * MINUTE);
    expect(await problemOf(await signIn(memory, early))).toEqual({ status: 401, code: "bad_signature" });
    expect(await statusOf(await signedBy(await second))).toBe(200);
  });

  it("K02 replaces a key that keeps its name", async () => {
    const early = await memory.session({ exp: memory.clock.now() / 1_000 + 3_600 });
    expect(await statusOf(early)).toBe(200);
    const { privateKey, publicJwk } = await second;
    const renewed = { kid: "key-1", privateKey, publicJwk: { ...publicJwk, kid: "key-1" } };
    memory.keyServer.keys = [renewed];
    memory.clock.advance(10 * MINUTE);
    expect(await statusOf(await signedBy(renewed))).toBe(200);
    expect(await problemOf(await signIn(memory, early))).toEqual({ status: 401, code: "bad_signature" });
  });

  it("K02 drops a removed key at once when a refetch shows that it is gone", async () => {
    const early = await memory.session({ exp: memory.clock.now() / 1_000 + 3_600 });
    expect(await statusOf(early)).toBe(200);
    memory.keyServer.keys = [await second];
    expect(await statusOf(await signedBy(await second))).toBe(200);
    expect(await problemOf(await signIn(memory, early))).toEqual({ status: 401, code: "bad_signature" });
  });
});

describe("an issuer that cannot be reached", () => {
  const outages: [string, (server: KeyServer) => void | Promise<void>][] = [
    ["answers 503", (server) => server.fail(503)],
    ["answers a page", (server) => server.serve("<html>Maintenance</html>")],
    ["refuses connections", (server) => server.stop()],
  ];
  it.each(outages)("K03 is stood in for by its last keys for 24 hours when it %s", async (_, breakDown) => {
    expect(await statusOf(await memory.session())).toBe(200);
    await breakDown(memory.keyServer);
    memory.clock.advance(11 * MINUTE);
    expect(await statusOf(await memory.session({ sub: "bob" }))).toBe(200);
    memory.clock.advance(23 * 60 * MINUTE);
    expect(await statusOf(await memory.session({ sub: "carol" }))).toBe(200);
    memory.clock.advance(60 * MINUTE);
    const late = await signIn(memory, await memory.session({ sub: "dave" }));
    expect(late.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(await problemOf(late)).toEqual({ status: 503, code: "auth_unavailable" });
  });

  it("K03 is stood in for by its last keys while its name cannot be found", async () => {
    const nowhere = await createMemoryDeps({ CLERK_JWKS_URL: "http://issuer.invalid/jwks.json" });
    const fetchedAt = nowhere.clock.now() - 11 * MINUTE;
    nowhere.keySets.entries.set(ISSUER, { jwks: { keys: [nowhere.key.publicJwk] }, fetchedAt });
    expect((await signIn(nowhere, await nowhere.session())).status).toBe(200);
    nowhere.clock.advance(24 * 60 * MINUTE);
    const late = await signIn(nowhere, await nowhere.session());
    expect(await problemOf(late)).toEqual({ status: 503, code: "auth_unavailable" });
    await nowhere.stop();
  });

  it("K03 O09 shows as degraded in health and in the log, and heals by itself", async () => {
    await signIn(memory, await memory.session());
    expect(memory.lines).toEqual([]);
    memory.keyServer.fail();
    memory.clock.advance(11 * MINUTE);
    const health = async () => (await memory.app.request("/v1/health")).json();
    expect(await health()).toMatchObject({ status: "degraded" });
    expect(memory.lines.join("\n")).toContain('"part":"identity"');
    memory.keyServer.recover();
    memory.clock.advance(MINUTE);
    expect(await health()).toMatchObject({ status: "healthy", warnings: [] });
  });

  it("K04 answers 503 with Retry-After in an isolate that has no keys, and recovers", async () => {
    memory.keyServer.fail();
    const refused = await signIn(memory, await memory.session());
    const waitMs = Number(refused.headers.get("retry-after")) * 1_000;
    expect(await problemOf(refused)).toEqual({ status: 503, code: "auth_unavailable" });
    memory.keyServer.recover();
    expect(waitMs).toBeLessThanOrEqual(30_000);
    memory.clock.advance(waitMs);
    expect(await statusOf(await memory.session())).toBe(200);
  });

  it("K04 starts a cold isolate with the last good set of another", async () => {
    await signIn(memory, await memory.session());
    await memory.settle();
    const kept = memory.keySets.entries.get(ISSUER);
    const cold = await createMemoryDeps({ CLERK_JWKS_URL: "http://127.0.0.1:9/jwks.json" });
    cold.keySets.entries.set(ISSUER, structuredClone(kept!));
    cold.clock.advance(60 * MINUTE);
    expect((await signIn(cold, await cold.session())).status).toBe(200);
    await cold.stop();
  });

  it("K04 asks nobody while another isolate's set is fresh", async () => {
    memory.keySets.entries.set(ISSUER, { jwks: { keys: [memory.key.publicJwk] }, fetchedAt: memory.clock.now() });
    expect(await statusOf(await memory.session())).toBe(200);
    expect(memory.keyServer.requests).toBe(0);
  });

  it.each([
    ["a broken set", { jwks: { keys: [] }, fetchedAt: 0 }],
    ["a set that is too old", { jwks: {}, fetchedAt: -25 * 60 * MINUTE }],
    ["a set from the future", { jwks: {}, fetchedAt: 60 * MINUTE }],
  ])("K04 takes no keys from %s in the cache", async (_, { jwks, fetchedAt }) => {
    const own = await second;
    const given = "keys" in jwks ? jwks : { keys: [own.publicJwk] };
    memory.keySets.entries.set(ISSUER, { jwks: given, fetchedAt: memory.clock.now() + fetchedAt });
    expect(await problemOf(await signIn(memory, await signedBy(own)))).toEqual({
      status: 401,
      code: "bad_signature",
    });
  });

  it("K04 goes on without the cache", async () => {
    memory.keySets.isDown = true;
    expect(await statusOf(await memory.session())).toBe(200);
  });

  it("K05 gives up on an issuer that hangs after 2 s, once for all who wait; other routes go on", async () => {
    memory.keyServer.hang();
    const startedAt = performance.now();
    const tokens = await Promise.all(["a", "b", "c"].map((sub) => memory.session({ sub })));
    const waiting = Promise.all(tokens.map((token) => signIn(memory, token)));
    expect((await memory.app.request("/healthz")).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    const answers = await waiting;
    expect(performance.now() - startedAt).toBeLessThan(3_500);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(memory.keyServer.requests).toBe(1);
  });

  it("K05 lets nobody but the one who finds out wait, while last keys are there", async () => {
    await signIn(memory, await memory.session());
    memory.keyServer.fail();
    memory.clock.advance(11 * MINUTE);
    expect(await statusOf(await memory.session())).toBe(200);
    memory.keyServer.hang();
    memory.clock.advance(31_000);
    const finder = signIn(memory, await memory.session({ sub: "finder" }));
    const startedAt = performance.now();
    expect(await statusOf(await memory.session({ sub: "other" }))).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect((await finder).status).toBe(200);
  });
});

describe("two issuers in one deployment", () => {
  it("K09 never uses one issuer's key for the other's token", async () => {
    const local = await KeyServer.start(await second);
    const both = await createMemoryDeps({ DEV_MODE: "true", LOCAL_ISSUER: local.url });
    const as = async (key: "key-1" | "key-2", iss: string) => {
      const signingKey = key === "key-1" ? both.key : await second;
      const token = await signWith(signingKey, sessionClaims(both.clock.now(), { iss }));
      return (await signIn(both, token)).status;
    };
    expect(await as("key-1", ISSUER)).toBe(200);
    expect(await as("key-2", local.url)).toBe(200);
    expect(await as("key-2", ISSUER)).toBe(401);
    expect(await as("key-1", local.url)).toBe(401);
    await Promise.all([local.stop(), both.stop()]);
  });

  it("K09 keeps them apart even when both call their key the same", async () => {
    const twin = await createSigningKey("key-1");
    const local = await KeyServer.start(twin);
    const both = await createMemoryDeps({ DEV_MODE: "true", LOCAL_ISSUER: local.url });
    const ours = await both.session();
    const foreign = await signWith(twin, sessionClaims(both.clock.now(), { iss: ISSUER }));
    const own = await signWith(twin, sessionClaims(both.clock.now(), { iss: local.url }));
    const statuses = [];
    for (const token of [ours, foreign, own]) statuses.push((await signIn(both, token)).status);
    expect(statuses).toEqual([200, 401, 200]);
    await Promise.all([local.stop(), both.stop()]);
  });

  it("K09 does not trust the local issuer without DEV_MODE", async () => {
    const local = await KeyServer.start(await second);
    const plain = await createMemoryDeps({ LOCAL_ISSUER: local.url });
    const token = await signWith(await second, sessionClaims(plain.clock.now(), { iss: local.url }));
    expect(await problemOf(await signIn(plain, token))).toEqual({ status: 401, code: "wrong_issuer" });
    expect(local.requests).toBe(0);
    await Promise.all([local.stop(), plain.stop()]);
  });
});
