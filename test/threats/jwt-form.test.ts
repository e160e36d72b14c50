import { readConfig } from "../../domain/config.ts";
import { createBrokenApp } from "../../functions/broken-app.ts";
import { VARIABLES } from "../gateway/fake-sockets.ts";
import { problemOf } from "../support/requests.ts";
import { createMemoryDeps } from "../support/memory-deps.ts";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { createSigningKey, signWith } from "../support/key-server.ts";
import { encodePart } from "../support/raw-jwt.ts";
import { claims, HEADER, openSignIns, signIn } from "./sign-ins.ts";

const { memory, exchange, refusal, signed } = await openSignIns();
afterAll(() => memory.stop());

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
    const standard = signature.replaceAll("-", "+").replaceAll("_", "/");
    expect(standard).not.toBe(signature);
    const spellings = [
      `${header}=.${payload}.${signature}`,
      `${header}.${payload}==.${signature}`,
      `${header}.${payload}.${signature}==`,
      `${header}.${payload}.${looseEnd(signature)}`,
      `${header}.${payload}.${standard}`,
      `${header}.${payload}.\u00a0${signature}`,
      `${header}.${payload} .${signature}`,
      `${header}. ${payload}.${signature}`,
      encodeURI(`${good}\n`),
    ];
    for (const spelling of spellings) expect(await refusal(spelling)).toEqual({ status: 401, code: "token_malformed" });
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

  it.each(["12345678", "secret", "your-256-bit-secret-your-256-bit-secret"])(
    "J27 is all that is wrong, and health says so, when it is %j",
    async (secret) => {
      expect(readConfig(VARIABLES).settings).toBeDefined();
      const report = readConfig({ ...VARIABLES, CHAT_JWT_SECRET: secret });
      expect(report).toMatchObject({ settings: undefined, problems: [{ name: "CHAT_JWT_SECRET" }] });
      const broken = createBrokenApp(report);
      const health = await broken.request("/v1/health");
      expect(health.status).toBe(503);
      expect(await health.text()).toContain("CHAT_JWT_SECRET");
      const refused = await problemOf(await broken.request("/v1/token", { method: "POST" }));
      expect(refused).toEqual({ status: 503, code: "config_invalid" });
    },
  );
});

describe("a token that is seen again", () => {
  it("J08 is not taken past its end, however often it was before", async () => {
    const fresh = await createMemoryDeps();
    const token = await fresh.session();
    const ask = async () => (await signIn(fresh, token)).status;
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
