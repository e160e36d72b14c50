import { exportJWK, generateKeyPair } from "jose";
import { describe, expect, it } from "vitest";
import { KeyServer } from "../support/key-server.ts";
import { problemOf } from "../support/requests.ts";
import { signIn } from "./sign-ins.ts";
import { ISSUER, memory, MINUTE, openIssuerForEachTest, second, signedBy, statusOf, unknownToken } from "./issuer.ts";

openIssuerForEachTest();

describe("floods", () => {
  it("K06 asks at most once per 30 s for unknown keys, one after the other or 100 at once", async () => {
    await signIn(memory, await memory.session());
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
    const flood = await Promise.all(Array.from({ length: 100 }, (_, n) => unknownToken(`flood-${n}`)));
    expect(new Set(await Promise.all(flood.map(statusOf)))).toEqual(new Set([503]));
    expect(memory.keyServer.requests).toBe(1);
    memory.clock.advance(30_000);
    await statusOf(await unknownToken("later"));
    expect(memory.keyServer.requests).toBe(2);
  });

  it("K06 answers 401 for unknown keys while stale keys are in use", async () => {
    await signIn(memory, await memory.session());
    memory.keyServer.fail();
    memory.clock.advance(11 * MINUTE);
    expect(await problemOf(await signIn(memory, await unknownToken("x")))).toEqual({
      status: 401,
      code: "bad_signature",
    });
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
    [
      "10,000 keys, all but one of them empty",
      async () => ({ keys: [await good(), ...Array.from({ length: 9_999 }, () => ({}))] }),
    ],
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
    expect(await problemOf(await signIn(memory, await memory.session()))).toEqual({
      status: 503,
      code: "auth_unavailable",
    });
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

  it.each([301, 302, 303, 307, 308])("K08 does not follow a redirect with %i", async (status) => {
    const evil = await KeyServer.start(await second);
    memory.keyServer.answer = (_request, response) =>
      void response.writeHead(status, { location: `${evil.url}/jwks.json` }).end();
    expect(await problemOf(await signIn(memory, await signedBy(await second)))).toMatchObject({
      code: "auth_unavailable",
    });
    expect(evil.requests).toBe(0);
    await evil.stop();
  });
});
