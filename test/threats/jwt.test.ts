import { problemOf } from "../support/requests.ts";
import { createSigningKey, signWith } from "../support/key-server.ts";
import { createServer } from "node:http";
import { createMemoryDeps } from "../support/memory-deps.ts";
import type { AddressInfo } from "node:net";
import { createPublicKey, constants, sign as signBytes } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { encodePart, rawJwt, signHmac, signRsa } from "../support/raw-jwt.ts";
import { claims, HEADER, openSignIns, signIn } from "./sign-ins.ts";

const { memory, rsaKey, exchange, refusal, signed } = await openSignIns();
afterAll(() => memory.stop());

describe("the algorithm and the key of a session token", () => {
  it.each(["none", "NoNe", "NONE", "nonE"])("J01 refuses alg %s with any third part", async (alg) => {
    const unsigned = `${encodePart({ ...HEADER, alg })}.${encodePart(claims())}`;
    for (const third of ["", "AAAA", "c2lnbmF0dXJl"])
      expect(await refusal(`${unsigned}.${third}`)).toEqual({ status: 401, code: "token_malformed" });
  });

  it("J02 refuses HS256 keyed with any encoding of the published key", async () => {
    const publicKey = createPublicKey(rsaKey);
    const jwk = publicKey.export({ format: "jwk" });
    const secrets = [
      publicKey.export({ type: "spki", format: "pem" }),
      publicKey.export({ type: "spki", format: "der" }),
      publicKey.export({ type: "pkcs1", format: "pem" }),
      JSON.stringify(jwk),
      JSON.stringify(memory.key.publicJwk),
      Buffer.from(jwk.n ?? "", "base64url"),
      jwk.n ?? "",
    ];
    for (const secret of secrets) {
      const forged = rawJwt({ ...HEADER, alg: "HS256" }, claims(), signHmac(secret));
      expect(await refusal(forged)).toEqual({ status: 401, code: "token_malformed" });
      // The header may as well lie about the algorithm.
      const lying = rawJwt(HEADER, claims(), signHmac(secret));
      expect(await refusal(lying)).toEqual({ status: 401, code: "bad_signature" });
    }
  });

  it.each(["RS384", "RS512"])("J03 refuses %s by the same key", async (alg) => {
    const hash = alg.replace("RS", "SHA");
    const token = rawJwt({ ...HEADER, alg }, claims(), signRsa(rsaKey, hash));
    expect(await refusal(token)).toEqual({ status: 401, code: "token_malformed" });
    const lying = rawJwt(HEADER, claims(), signRsa(rsaKey, hash));
    expect(await refusal(lying)).toEqual({ status: 401, code: "bad_signature" });
  });

  it("J03 refuses PS256 by the same key", async () => {
    const pss = (input: string) =>
      signBytes("sha256", Buffer.from(input), {
        key: rsaKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: 32,
      }).toString("base64url");
    expect(await refusal(rawJwt({ ...HEADER, alg: "PS256" }, claims(), pss))).toMatchObject({ status: 401 });
    expect(await refusal(rawJwt(HEADER, claims(), pss))).toEqual({ status: 401, code: "bad_signature" });
  });

  it("J04 never uses nor fetches a key that the token brings along", async () => {
    let visits = 0;
    const listener = createServer((_request, response) => {
      visits += 1;
      response.end();
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/jwks.json`;
    const own = await createSigningKey("key-1");
    const brought = [
      { jwk: own.publicJwk },
      { jku: address },
      { x5u: address },
      { x5c: ["MIIB"] },
      { x5t: "abc" },
      { jwk: own.publicJwk, jku: address, kid: "another" },
    ];
    for (const header of brought) {
      const token = await signWith(own, claims(), { header });
      expect(await refusal(token)).toEqual({ status: 401, code: "bad_signature" });
    }
    expect(visits).toBe(0);
    await new Promise((resolve) => listener.close(resolve));
  });

  it.each([
    "../../dev/null",
    "' or 1=1 --",
    "https://evil.example/jwks.json",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "x".repeat(256),
  ])("J05 finds no key by the kid %j, and asks for it once at most", async (kid) => {
    const ask = async () => refusal(signed({ ...HEADER, kid }, claims()));
    const refused = { status: 401, code: "bad_signature" };
    expect(await ask()).toEqual(refused);
    const after = memory.keyServer.requests;
    expect(await ask()).toEqual(refused);
    expect(memory.keyServer.requests).toBe(after);
  });

  it.each<{ kid: unknown }>([
    { kid: "" },
    { kid: null },
    { kid: ["key-1"] },
    { kid: 1 },
    { kid: {} },
    { kid: "x".repeat(4_000) },
    { kid: "x".repeat(65_536) },
  ])("J05 takes no kid that is not a short text, and asks nobody for it: %j", async (header) => {
    const token = signed({ ...HEADER, ...header }, claims());
    expect(await refusal(token)).toEqual({ status: 401, code: "token_malformed" });
    const cold = await createMemoryDeps();
    expect((await signIn(cold, token)).status).toBe(401);
    expect(cold.keyServer.requests).toBe(0);
    await cold.stop();
  });

  it("J06 refuses a token without a kid, with one key in the set and with two", async () => {
    const token = signed({ alg: "RS256", typ: "JWT" }, claims());
    expect(await refusal(token)).toEqual({ status: 401, code: "token_malformed" });
    const two = await createMemoryDeps();
    two.keyServer.keys.push({ ...two.key, kid: "key-2", publicJwk: { ...two.key.publicJwk, kid: "key-2" } });
    expect(await problemOf(await signIn(two, token))).toMatchObject({ status: 401 });
    await two.stop();
  });

  it.each([
    { crit: ["exp"] },
    { crit: ["b64"], b64: false },
    { crit: [] },
    { crit: "exp" },
    { crit: ["x", "x"] },
    { crit: ["unknown"], unknown: true },
    { b64: false },
  ])("J07 refuses the critical header %j", async (header) => {
    expect(await refusal(signed({ ...HEADER, ...header }, claims()))).toMatchObject({
      status: 401,
      code: "token_malformed",
    });
  });

  it.each([
    { typ: "at+jwt" },
    { typ: "application/at+jwt" },
    { typ: "M2M" },
    { typ: "JWE" },
    { typ: 1 },
    { cat: "cl_B7d4PD222AAA" },
    { cat: "cl_B7d4PD333AAA" },
    { cat: "anything" },
    { cat: null },
  ])("J28 refuses a token of another category: %j", async (header) => {
    expect(await refusal(signed({ ...HEADER, ...header }, claims()))).toEqual({ status: 401, code: "token_malformed" });
  });

  it("J28 takes Clerk's own mark of a session token, and no typ at all", async () => {
    const marked = await exchange(signed({ ...HEADER, cat: "cl_B7d4PD111AAA" }, claims()));
    const bare = await exchange(signed({ alg: "RS256", kid: "key-1" }, claims()));
    expect([marked.status, bare.status]).toEqual([200, 200]);
  });
});
