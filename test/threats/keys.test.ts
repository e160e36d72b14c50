import { exportJWK, generateKeyPair } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTokenKeys, signChatToken, verifyChatToken } from "../../domain/chat-tokens.ts";
import { createSigningKey, KeyServer, signWith } from "../support/key-server.ts";
import { alice, APP, createMemoryDeps, type MemoryDeps, sessionClaims } from "../support/memory-deps.ts";
import { bearer, problemOf } from "../support/requests.ts";

const MINUTE = 60_000;
const ISSUER = "https://issuer.example.com";
const second = createSigningKey("key-2");

let memory: MemoryDeps;
beforeEach(async () => {
  memory = await createMemoryDeps({ TOKEN_RATE_LIMIT: "100000" });
});
afterEach(() => memory.stop());

const exchange = async (token: string, deployment = memory): Promise<Response> =>
  deployment.app.request("/v1/token", { method: "POST", ...bearer(token) });
const statusOf = async (token: string): Promise<number> => (await exchange(token)).status;
const signedBy = async (key: Awaited<typeof second>, claims: object = {}): Promise<string> =>
  signWith(key, { ...sessionClaims(memory.clock.now()), ...claims });
/** A token with a kid that nobody has. */
const unknownToken = async (kid: string): Promise<string> => memory.session({}, { kid });

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
    expect(await problemOf(await exchange(early))).toEqual({ status: 401, code: "bad_signature" });
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
    expect(await problemOf(await exchange(early))).toEqual({ status: 401, code: "bad_signature" });
  });

  it("K02 drops a removed key at once when a refetch shows that it is gone", async () => {
    const early = await memory.session({ exp: memory.clock.now() / 1_000 + 3_600 });
    expect(await statusOf(early)).toBe(200);
    memory.keyServer.keys = [await second];
    expect(await statusOf(await signedBy(await second))).toBe(200);
    expect(await problemOf(await exchange(early))).toEqual({ status: 401, code: "bad_signature" });
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
    const late = await exchange(await memory.session({ sub: "dave" }));
    expect(late.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(await problemOf(late)).toEqual({ status: 503, code: "auth_unavailable" });
  });

  it("K03 O09 shows as degraded in health, and heals by itself", async () => {
    await exchange(await memory.session());
    memory.keyServer.fail();
    memory.clock.advance(11 * MINUTE);
    const health = async () => (await memory.app.request("/v1/health")).json();
    expect(await health()).toMatchObject({ status: "degraded" });
    memory.keyServer.recover();
    memory.clock.advance(MINUTE);
    expect(await health()).toMatchObject({ status: "healthy", warnings: [] });
  });

  it("K04 answers 503 with Retry-After in an isolate that has no keys, and recovers", async () => {
    memory.keyServer.fail();
    const refused = await exchange(await memory.session());
    const waitMs = Number(refused.headers.get("retry-after")) * 1_000;
    expect(await problemOf(refused)).toEqual({ status: 503, code: "auth_unavailable" });
    memory.keyServer.recover();
    expect(waitMs).toBeLessThanOrEqual(30_000);
    memory.clock.advance(waitMs);
    expect(await statusOf(await memory.session())).toBe(200);
  });

  it("K04 starts a cold isolate with the last good set of another", async () => {
    await exchange(await memory.session());
    await memory.settle();
    const kept = memory.keySets.entries.get(ISSUER);
    const cold = await createMemoryDeps({ CLERK_JWKS_URL: "http://127.0.0.1:9/jwks.json" });
    cold.keySets.entries.set(ISSUER, structuredClone(kept!));
    cold.clock.advance(60 * MINUTE);
    expect((await exchange(await cold.session(), cold)).status).toBe(200);
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
    expect(await problemOf(await exchange(await signedBy(own)))).toEqual({ status: 401, code: "bad_signature" });
  });

  it("K04 goes on without the cache", async () => {
    memory.keySets.isDown = true;
    expect(await statusOf(await memory.session())).toBe(200);
  });

  it("K05 gives up on an issuer that hangs after 2 s, once for all who wait; other routes go on", async () => {
    memory.keyServer.hang();
    const startedAt = performance.now();
    const tokens = await Promise.all(["a", "b", "c"].map((sub) => memory.session({ sub })));
    const waiting = Promise.all(tokens.map((token) => exchange(token)));
    expect((await memory.app.request("/healthz")).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    const answers = await waiting;
    expect(performance.now() - startedAt).toBeLessThan(3_500);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(memory.keyServer.requests).toBe(1);
  });

  it("K05 lets nobody but the one who finds out wait, while last keys are there", async () => {
    await exchange(await memory.session());
    memory.keyServer.fail();
    memory.clock.advance(11 * MINUTE);
    expect(await statusOf(await memory.session())).toBe(200);
    memory.keyServer.hang();
    memory.clock.advance(31_000);
    const finder = exchange(await memory.session({ sub: "finder" }));
    const startedAt = performance.now();
    expect(await statusOf(await memory.session({ sub: "other" }))).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect((await finder).status).toBe(200);
  });
});

describe("floods", () => {
  it("K06 asks at most once per 30 s for unknown keys, one after the other or 100 at once", async () => {
    await exchange(await memory.session());
    for (let n = 0; n < 20; n++) expect(await statusOf(await unknownToken(`made-up-${n}`))).toBe(401);
    expect(memory.keyServer.requests).toBe(2);
    const flood = await Promise.all(Array.from({ length: 100 }, (_, n) => unknownToken(`flood-${n}`)));
    const answers = await Promise.all(flood.map(statusOf));
    expect(new Set(answers)).toEqual(new Set([401]));
    expect(memory.keyServer.requests).toBe(2);
    memory.clock.advance(30_000);
    await statusOf(await unknownToken("later"));
    expect(memory.keyServer.requests).toBe(3);
  });

  it("K06 asks once for a cold isolate's flood of unknown keys", async () => {
    const flood = await Promise.all(Array.from({ length: 100 }, (_, n) => unknownToken(`cold-${n}`)));
    await Promise.all(flood.map(statusOf));
    await statusOf(await unknownToken("one-more"));
    expect(memory.keyServer.requests).toBe(1);
  });

  it("K06 asks at most once per 30 s while the issuer fails", async () => {
    memory.keyServer.fail();
    for (let n = 0; n < 20; n++) expect(await statusOf(await unknownToken(`made-up-${n}`))).toBe(503);
    expect(memory.keyServer.requests).toBe(1);
    memory.clock.advance(30_000);
    await statusOf(await unknownToken("later"));
    expect(memory.keyServer.requests).toBe(2);
  });

  it("K06 answers 401 for unknown keys while stale keys are in use", async () => {
    await exchange(await memory.session());
    memory.keyServer.fail();
    memory.clock.advance(11 * MINUTE);
    expect(await problemOf(await exchange(await unknownToken("x")))).toEqual({ status: 401, code: "bad_signature" });
    expect(await statusOf(await unknownToken("y"))).toBe(401);
    expect(memory.keyServer.requests).toBe(2);
  });

  it("K11 fetches once for 100 first requests at once", async () => {
    const tokens = await Promise.all(Array.from({ length: 100 }, (_, n) => memory.session({ sub: `user-${n}` })));
    const answers = await Promise.all(tokens.map(statusOf));
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(memory.keyServer.requests).toBe(1);
  });
});

describe("poisoned key sets", () => {
  const good = async () => memory.key.publicJwk;
  const weak = async (n: string, e: string) => ({ kty: "RSA", n, e, kid: "weak", use: "sig", alg: "RS256" });
  const many = (count: number, jwk: object) => ({
    keys: Array.from({ length: count }, (_, n) => ({ ...jwk, kid: `key-${n}` })),
  });
  const sets: [string, () => Promise<unknown>][] = [
    ["a symmetric key", async () => ({ keys: [await good(), { kty: "oct", k: "AAAA", kid: "o", alg: "HS256" }] })],
    ["a private key", async () => ({ keys: [{ ...(await exportJWK(memory.key.privateKey)), kid: "p" }] })],
    ["exponent 1", async () => ({ keys: [await weak(String((await good()).n), "AQ")] })],
    ["exponent 3", async () => ({ keys: [await weak(String((await good()).n), "Aw")] })],
    ["an even exponent", async () => ({ keys: [await weak(String((await good()).n), "AQAC")] })],
    ["a modulus of 512 bits", async () => ({ keys: [await weak("w".repeat(86), "AQAB")] })],
    ["a modulus of 1,024 bits", async () => ({ keys: [await weak("w".repeat(171), "AQAB")] })],
    ["a modulus of 16,384 bits", async () => ({ keys: [await weak("w".repeat(2_731), "AQAB")] })],
    ["a modulus that is no text", async () => ({ keys: [{ ...(await good()), n: 7 }] })],
    ["only an encryption key", async () => ({ keys: [{ ...(await good()), use: "enc" }] })],
    ["only keys of other kinds", async () => ({ keys: [{ kty: "EC", crv: "P-256", x: "AA", y: "AA", kid: "e" }] })],
    ["21 keys", async () => many(21, await good())],
    ["one kid twice", async () => ({ keys: [await good(), await good()] })],
    ["a kid of another type", async () => ({ keys: [{ ...(await good()), kid: 7 }] })],
    ["keys that are no list", async () => ({ keys: { 0: await good() } })],
    ["no keys", async () => ({ keys: [] })],
    ["null", async () => null],
    ["a page", async () => "<!doctype html><title>Sign in</title>"],
    ["50 MB", async () => `{"keys":[],"pad":"${"x".repeat(50_000_000)}"}`],
    ["a good set in 70 kB", async () => ({ keys: [await good()], pad: "x".repeat(70_000) })],
    ["a prototype", async () => '{"__proto__":{"keys":[]}}'],
  ];
  it.each(sets)("K07 refuses %s whole and keeps the last good set", async (_, makeSet) => {
    expect(await statusOf(await memory.session())).toBe(200);
    memory.keyServer.serve(await makeSet());
    memory.clock.advance(11 * MINUTE);
    expect(await statusOf(await memory.session({ sub: "bob" }))).toBe(200);
    expect(memory.keyServer.requests).toBe(2);
    expect(memory.lines.join("\n")).toContain('"part":"identity"');
    await memory.settle();
    expect(memory.keySets.entries.get(ISSUER)?.jwks).toEqual({ keys: [memory.key.publicJwk] });
  });
  it.each(sets)("K07 has no keys when a cold isolate gets %s", async (_, makeSet) => {
    memory.keyServer.serve(await makeSet());
    expect(await problemOf(await exchange(await memory.session()))).toEqual({ status: 503, code: "auth_unavailable" });
  });

  it("K07 leaves out keys for other purposes beside the right ones", async () => {
    const { publicKey } = await generateKeyPair("ES256", { extractable: true });
    const others = [
      { ...(await exportJWK(publicKey)), kid: "ec", use: "sig" },
      { ...(await second).publicJwk, use: "enc", alg: "RSA-OAEP" },
    ];
    memory.keyServer.serve({ keys: [memory.key.publicJwk, ...others] });
    expect(await statusOf(await memory.session())).toBe(200);
    expect(await statusOf(await signedBy(await second))).toBe(401);
  });

  it("K08 does not follow a redirect", async () => {
    const evil = await KeyServer.start(await second);
    memory.keyServer.answer = (_request, response) =>
      void response.writeHead(302, { location: `${evil.url}/jwks.json` }).end();
    expect(await problemOf(await exchange(await signedBy(await second)))).toMatchObject({ code: "auth_unavailable" });
    expect(evil.requests).toBe(0);
    await evil.stop();
  });
});

describe("two issuers in one deployment", () => {
  it("K09 never uses one issuer's key for the other's token", async () => {
    const local = await KeyServer.start(await second);
    const both = await createMemoryDeps({ DEV_MODE: "true", LOCAL_ISSUER: local.url });
    const as = async (key: "key-1" | "key-2", iss: string) => {
      const signingKey = key === "key-1" ? both.key : await second;
      const token = await signWith(signingKey, sessionClaims(both.clock.now(), { iss }));
      return (await exchange(token, both)).status;
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
    for (const token of [ours, foreign, own]) statuses.push((await exchange(token, both)).status);
    expect(statuses).toEqual([200, 401, 200]);
    await Promise.all([local.stop(), both.stop()]);
  });

  it("K09 does not trust the local issuer without DEV_MODE", async () => {
    const local = await KeyServer.start(await second);
    const plain = await createMemoryDeps({ LOCAL_ISSUER: local.url });
    const token = await signWith(await second, sessionClaims(plain.clock.now(), { iss: local.url }));
    expect(await problemOf(await exchange(token, plain))).toEqual({ status: 401, code: "wrong_issuer" });
    expect(local.requests).toBe(0);
    await Promise.all([local.stop(), plain.stop()]);
  });
});

describe("rotation of our own secret", () => {
  const OLD = "0ldQ8Zr3vKx0Lw7Ty2Bn5Mj9Hc4Fd6Gs";
  const NEW = "n3wQ8Zr3vKx0Lw7Ty2Bn5Mj9Hc4Fd6Gs";
  const url = "https://chat.example.com";
  const holder = (now: number) => ({
    userId: alice,
    app: APP,
    name: undefined,
    issuedAt: now,
    expiresAt: now + MINUTE,
  });

  it("K10 takes tokens of the previous secret, signs with the current one, and refuses others", async () => {
    const now = memory.clock.now();
    const before = await createTokenKeys(url, OLD);
    const during = await createTokenKeys(url, NEW, OLD);
    const after = await createTokenKeys(url, NEW);
    const early = await signChatToken(before, "rest", holder(now));
    const late = await signChatToken(during, "rest", holder(now));
    expect(await verifyChatToken(during, "rest", early, now)).toMatchObject({ userId: "alice" });
    expect(await verifyChatToken(after, "rest", late, now)).toMatchObject({ userId: "alice" });
    await expect(verifyChatToken(after, "rest", early, now)).rejects.toMatchObject({ code: "bad_signature" });
    await expect(verifyChatToken(before, "rest", late, now)).rejects.toMatchObject({ code: "bad_signature" });
  });

  it("K10 serves both during a rotation", async () => {
    const rotating = await createMemoryDeps({ CHAT_JWT_SECRET: NEW, CHAT_JWT_SECRET_PREVIOUS: OLD });
    const early = await signChatToken(await createTokenKeys(url, OLD), "rest", holder(rotating.clock.now()));
    expect((await rotating.app.request("/v1/channels", bearer(early))).status).toBe(200);
    await rotating.stop();
  });
});
