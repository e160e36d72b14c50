import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { constants, createPublicKey, KeyObject, sign as signBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readConfig } from "../../domain/config.ts";
import { createSigningKey, signWith } from "../support/key-server.ts";
import { createMemoryDeps, type MemoryDeps, PAGE_ORIGIN, sessionClaims } from "../support/memory-deps.ts";
import { START } from "../support/clock.ts";
import { bearer, problemOf } from "../support/requests.ts";
import { encodePart, rawJwt, signHmac, signRsa } from "../support/raw-jwt.ts";

const NOW = START / 1_000;

let memory: MemoryDeps;
let rsaKey: KeyObject;
beforeAll(async () => {
  memory = await createMemoryDeps({ TOKEN_RATE_LIMIT: "100000" });
  rsaKey = KeyObject.from(memory.key.privateKey);
  await memory.app.request("/v1/token", exchangeInit(await memory.session()));
});
afterAll(() => memory.stop());

function exchangeInit(token: string): RequestInit {
  return { method: "POST", ...bearer(token) };
}
async function exchange(token: string): Promise<Response> {
  return memory.app.request("/v1/token", exchangeInit(token));
}
async function refusal(token: string): Promise<{ status: number; code: string }> {
  return problemOf(await exchange(token));
}
const HEADER = { alg: "RS256", typ: "JWT", kid: "key-1" };
const claims = (extra: object = {}) => ({ ...sessionClaims(START), ...extra });
const signed = (header: object | string | Uint8Array, payload: object | string | Uint8Array) =>
  rawJwt(header, payload, signRsa(rsaKey));

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
  ])("J05 finds no key by the kid %j", async (kid) => {
    const before = memory.keyServer.requests;
    expect(await refusal(signed({ ...HEADER, kid }, claims()))).toEqual({ status: 401, code: "bad_signature" });
    expect(memory.keyServer.requests).toBeLessThanOrEqual(before + 1);
  });

  it.each<{ kid: unknown }>([
    { kid: "" },
    { kid: null },
    { kid: ["key-1"] },
    { kid: 1 },
    { kid: {} },
    { kid: "x".repeat(4_000) },
  ])("J05 takes no kid that is not a short text: %j", async (header) => {
    expect(await refusal(signed({ ...HEADER, ...header }, claims()))).toEqual({ status: 401, code: "token_malformed" });
  });

  it("J06 refuses a token without a kid, with one key in the set and with two", async () => {
    const token = signed({ alg: "RS256", typ: "JWT" }, claims());
    expect(await refusal(token)).toEqual({ status: 401, code: "token_malformed" });
    const two = await createMemoryDeps();
    two.keyServer.keys.push({ ...two.key, kid: "key-2", publicJwk: { ...two.key.publicJwk, kid: "key-2" } });
    expect(await problemOf(await two.app.request("/v1/token", exchangeInit(token)))).toMatchObject({ status: 401 });
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

describe("the times of a session token", () => {
  it.each([
    ["long ago", NOW - 3_600],
    ["5 s ago", NOW - 5],
  ])("J08 refuses a token that expired %s", async (_, exp) => {
    const token = signed(HEADER, claims({ iat: NOW - 4_000, exp }));
    expect(await refusal(token)).toEqual({ status: 401, code: "token_expired" });
  });
  it.each([
    ["now", NOW],
    ["4 s ago", NOW - 4],
  ])("J08 takes a token that expired %s, within the tolerance", async (_, exp) => {
    expect((await exchange(signed(HEADER, claims({ iat: NOW - 60, exp })))).status).toBe(200);
  });

  it.each([
    ["missing", "{}"],
    ["a text", '{"exp":"9999999999"}'],
    ["null", '{"exp":null}'],
    ["1e308", '{"exp":1e308}'],
    ["1e400", '{"exp":1e400}'],
    ["negative", '{"exp":-1}'],
    ["zero", '{"exp":0}'],
    ["a fraction", `{"exp":${NOW + 50}.5}`],
    ["a list", `{"exp":[${NOW + 50}]}`],
    ["before iat", `{"exp":${NOW - 11}}`],
    ["a year ahead", `{"exp":${NOW + 31_536_000}}`],
  ])("J09 refuses an exp that is %s", async (_, given) => {
    const { exp: _exp, ...rest } = sessionClaims(START);
    const payload = JSON.stringify(rest).slice(0, -1) + (given === "{}" ? "}" : `,${given.slice(1)}`);
    expect(await refusal(signed(HEADER, payload))).toEqual({ status: 401, code: "bad_claims" });
  });

  it("J10 refuses an nbf more than 5 s ahead, and takes one within", async () => {
    expect(await refusal(signed(HEADER, claims({ nbf: NOW + 6 })))).toEqual({
      status: 401,
      code: "token_not_yet_valid",
    });
    expect(await refusal(signed(HEADER, claims({ nbf: "soon" })))).toEqual({ status: 401, code: "bad_claims" });
    expect((await exchange(signed(HEADER, claims({ nbf: NOW + 5 })))).status).toBe(200);
  });

  it("J11 refuses an iat that is ahead, missing, or older than a session can be", async () => {
    expect(await refusal(signed(HEADER, claims({ iat: NOW + 6 })))).toEqual({
      status: 401,
      code: "token_not_yet_valid",
    });
    expect(await refusal(signed(HEADER, claims({ iat: undefined })))).toEqual({ status: 401, code: "bad_claims" });
    expect(await refusal(signed(HEADER, claims({ iat: NOW - 31_536_000, exp: NOW + 60 })))).toEqual({
      status: 401,
      code: "bad_claims",
    });
    expect(await refusal(signed(HEADER, claims({ iat: "then" })))).toEqual({ status: 401, code: "bad_claims" });
  });
});

describe("whom a session token names", () => {
  it.each([
    "https://issuer.example.com/",
    "https://ISSUER.example.com",
    "http://issuer.example.com",
    "https://issuer.example.com.evil.com",
    "https://issuer.example.com@evil.com",
    "https://other-instance.clerk.accounts.dev",
    "",
    ["https://issuer.example.com"],
    null,
    undefined,
  ])("J12 refuses the issuer %j", async (iss) => {
    expect(await refusal(signed(HEADER, claims({ iss })))).toEqual({ status: 401, code: "wrong_issuer" });
  });
  it("J12 refuses a token of another instance, signed by that instance", async () => {
    const other = await createSigningKey("other-instance");
    const token = await signWith(other, claims({ iss: "https://other.example.com" }));
    expect(await refusal(token)).toEqual({ status: 401, code: "wrong_issuer" });
  });

  describe("with an audience and parties configured", () => {
    let strict: MemoryDeps;
    beforeAll(async () => {
      strict = await createMemoryDeps({ CLERK_AUDIENCE: "chat", CLERK_AUTHORIZED_PARTIES: PAGE_ORIGIN });
    });
    afterAll(() => strict.stop());
    const ask = async (extra: object) => {
      const response = await strict.app.request("/v1/token", exchangeInit(signed(HEADER, claims(extra))));
      return response.status === 200 ? "taken" : (await problemOf(response)).code;
    };

    it.each([undefined, "other", ["chat"], ["chat", "other"], "", "Chat", null])(
      "J13 refuses the audience %j",
      async (aud) => {
        expect(await ask({ aud })).toBe("wrong_audience");
      },
    );
    it.each([
      undefined,
      "",
      "https://evil.example",
      `${PAGE_ORIGIN}.evil.com`,
      "https://app",
      "http://localhost:3000",
      [PAGE_ORIGIN],
    ])("J14 refuses the party %j", async (azp) => {
      expect(await ask({ aud: "chat", azp })).toBe("wrong_party");
    });
    it("J13 J14 takes the right ones", async () => {
      expect(await ask({ aud: "chat" })).toBe("taken");
    });
  });

  it("J14 does not serve in production without parties", () => {
    const { problems } = readConfig({ ENVIRONMENT: "production", CLERK_JWT_ISSUER: "https://issuer.example.com" });
    expect(problems.map(({ name }) => name)).toContain("CLERK_AUTHORIZED_PARTIES");
  });

  it("J15 lets the last of two equal claims win, as at every hop, and the last alg too", async () => {
    const payload = `{"sub":"mallory",${JSON.stringify(sessionClaims(START)).slice(1)}`;
    const reply = (await (await exchange(signed(HEADER, payload))).json()) as { userId: string };
    expect(reply.userId).toBe("alice");
    const header = '{"alg":"RS256","typ":"JWT","kid":"key-1","alg":"none"}';
    expect(await refusal(signed(header, claims()))).toEqual({ status: 401, code: "token_malformed" });
  });

  it.each([
    "",
    0,
    {},
    null,
    undefined,
    ["alice"],
    "x".repeat(129),
    "x".repeat(5_000),
    "a\u0000b",
    "a\ud800b",
    "a\nb",
    "a\u202eb",
    "alice bob",
    "app:demo",
    "../admin",
  ])("J16 refuses the sub %j", async (sub) => {
    expect(await refusal(signed(HEADER, claims({ sub })))).toEqual({ status: 401, code: "bad_claims" });
  });

  it("J17 takes nothing from __proto__ or constructor claims", async () => {
    const own = JSON.stringify(sessionClaims(START)).slice(1);
    const payload = `{"__proto__":{"role":"admin","sub":"admin"},"constructor":{"prototype":{"role":"admin"}},${own}`;
    const response = await exchange(signed(HEADER, payload));
    expect(((await response.json()) as { userId: string }).userId).toBe("alice");
    expect(({} as { role?: string }).role).toBeUndefined();
  });

  it.each(["аlice", "ａlice", "al\u200bice", "é", "e\u0301"])("J21 refuses a look-alike id: %j", async (sub) => {
    expect(await refusal(signed(HEADER, claims({ sub })))).toEqual({ status: 401, code: "bad_claims" });
  });
  it("J21 mends a display name: one spelling, nothing invisible, bounded", async () => {
    const name = `e\u0301\u200b\u202e ${"x".repeat(300)}`;
    const reply = (await (await exchange(signed(HEADER, claims({ name, sub: "long-name" })))).json()) as {
      user: { name: string };
    };
    expect(reply.user.name).toBe(`é ${"x".repeat(98)}`);
  });
});

describe("the form of a session token", () => {
  it.each([
    ["8 KiB and one", (good: string) => good.padEnd(8_193, "A")],
    ["100 kB", (good: string) => good.padEnd(100_000, "A")],
    ["a million dots", () => ".".repeat(1_000_000)],
    ["a payload of 2 MB", () => `${encodePart(HEADER)}.${"A".repeat(2_000_000)}.AAAA`],
    ["a header of 2 MB", () => `${"A".repeat(2_000_000)}.e30.AAAA`],
  ])("J18 refuses %s", async (_, make) => {
    expect(await refusal(make(await memory.session()))).toEqual({ status: 401, code: "token_malformed" });
  });

  it("J19 refuses every other spelling of a good token", async () => {
    const good = signed(HEADER, claims({ sub: "spelling" }));
    expect((await exchange(good)).status).toBe(200);
    const [header = "", payload = "", signature = ""] = good.split(".");
    const spellings = [
      `${header}=.${payload}.${signature}`,
      `${header}.${payload}==.${signature}`,
      `${header}.${payload}.${signature}==`,
      `${header}.${payload}.${looseEnd(signature)}`,
      `${header}.${payload}.${signature.replaceAll("-", "+").replaceAll("_", "/")}+`,
      `${header}.${payload}.${signature}A`,
      `${header}.${payload}.\u00a0${signature}`,
      `${header}.${payload} .${signature}`,
    ];
    for (const spelling of spellings) expect(await refusal(encodeURI(spelling))).toMatchObject({ status: 401 });
  });

  it.each([
    ["invalid UTF-8", Buffer.concat([Buffer.from('{"sub":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])],
    ["a byte order mark", Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from("{}")])],
    ["UTF-16", Buffer.from("{}", "utf16le")],
    ["an overlong form", Buffer.concat([Buffer.from('{"sub":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')])],
  ])("J20 refuses %s in header or payload", async (_, bytes) => {
    expect(await refusal(signed(HEADER, bytes))).toEqual({ status: 401, code: "token_malformed" });
    expect(await refusal(signed(bytes, claims()))).toEqual({ status: 401, code: "token_malformed" });
  });

  it("J22 refuses other serialisations, and tokens in tokens", async () => {
    const good = await memory.session();
    const [protectedHeader = "", payload = "", signature = ""] = good.split(".");
    const others = [
      JSON.stringify({ protected: protectedHeader, payload, signature }),
      JSON.stringify({ payload, signatures: [{ protected: protectedHeader, signature }] }),
      `${protectedHeader}.${payload}`,
      `${protectedHeader}.${payload}.${signature}.${signature}.${signature}`,
      `${encodePart({ alg: "RSA-OAEP", enc: "A256GCM" })}.AAAA.AAAA.AAAA.AAAA`,
      signed({ ...HEADER, cty: "JWT" }, good),
      signed(HEADER, "[]"),
      signed(HEADER, '"alice"'),
      signed(HEADER, "null"),
      signed(HEADER, "not json"),
      signed(HEADER, ""),
      signed("[]", claims()),
      "..",
      "a.b.c",
      "eyJ.eyJ.eyJ",
    ];
    for (const other of others) expect(await refusal(other)).toEqual({ status: 401, code: "token_malformed" });
  });

  it("J23 refuses a token whose signature is stripped, cut, changed or another token's", async () => {
    const good = signed(HEADER, claims({ sub: "bits" }));
    const [header = "", payload = "", signature = ""] = good.split(".");
    const other = signed(HEADER, claims({ sub: "mallory" })).split(".");
    const broken = [
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.slice(0, -4)}`,
      `${header}.${payload}.${"A".repeat(signature.length)}`,
      `${header}.${payload}.${other[2]}`,
      `${header}.${other[1]}.${signature}`,
      `${encodePart({ ...HEADER, extra: 1 })}.${payload}.${signature}`,
      `${header}.${payload}.${signature}${signature}`,
      `${header}.${payload}.AA`,
    ];
    for (const token of broken) expect(await refusal(token)).toMatchObject({ status: 401 });
    for (let bit = 0; bit < 32; bit++)
      expect(await refusal(`${header}.${payload}.${flipBit(signature, bit * 63)}`)).toMatchObject({ status: 401 });
  });
});

describe("what an answer gives away", () => {
  beforeEach(() => memory.clock.advance(31_000));

  it("J26 answers an unknown key and a bad signature alike, to the byte", async () => {
    const stranger = await createSigningKey("stranger");
    const now = memory.clock.now();
    const good = claims({ iat: now / 1_000, exp: now / 1_000 + 60 });
    const unknownKid = await exchange(await signWith(stranger, good));
    const badSignature = await exchange(await signWith(stranger, good, { header: { kid: "key-1" } }));
    // Wrong in every other way too: claims are looked at only once the signature holds.
    const badClaims = await exchange(
      await signWith(stranger, { iss: "https://evil.example", sub: "", exp: 1 }, { header: { kid: "key-1" } }),
    );
    const expired = await exchange(await signWith(stranger, { ...good, exp: 1 }, { header: { kid: "key-1" } }));
    const answers = await Promise.all([unknownKid, badSignature, badClaims, expired].map(strip));
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain("bad_signature");
  });

  it("J23 does not take another signature on a token that was verified before", async () => {
    const token = await memory.session();
    expect((await exchange(token)).status).toBe(200);
    expect(await refusal(`${token.slice(0, -8)}AAAAAAAA`)).toEqual({ status: 401, code: "bad_signature" });
  });
});

describe("the secret that signs", () => {
  it.each([
    ["8 bytes", "12345678"],
    ["empty", ""],
    ["a dictionary word", "secret"],
    ["the list's favourite", "your-256-bit-secret-your-256-bit-secret"],
    ["one letter", "a".repeat(64)],
  ])("J27 T17 does not serve with a secret that is %s", (_, secret) => {
    const { settings, problems } = readConfig({ CHAT_JWT_SECRET: secret });
    expect(settings).toBeUndefined();
    const problem = problems.find(({ name }) => name === "CHAT_JWT_SECRET");
    expect(problem).toBeDefined();
    expect(secret === "" || !JSON.stringify(problem).includes(secret)).toBe(true);
  });
});

describe("a token that is seen again", () => {
  it("J08 is not taken past its end, however often it was before", async () => {
    const fresh = await createMemoryDeps();
    const token = await fresh.session();
    const ask = async () => (await fresh.app.request("/v1/token", exchangeInit(token))).status;
    expect([await ask(), await ask()]).toEqual([200, 200]);
    fresh.clock.advance(56_000);
    expect(await ask()).toBe(401);
    await fresh.stop();
  });
});

function strip(response: Response): Promise<string> {
  return response.text().then((text) => `${response.status} ${text.replace(/"requestId":"[^"]*"/, "")}`);
}

function looseEnd(part: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(part.charAt(part.length - 1));
  return part.slice(0, -1) + alphabet.charAt(last ^ 1);
}

function flipBit(part: string, bit: number): string {
  const bytes = Buffer.from(part, "base64url");
  const at = Math.floor(bit / 8) % bytes.length;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8));
  return bytes.toString("base64url");
}
