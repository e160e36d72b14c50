import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../domain/config.ts";
import { createSigningKey, signWith } from "../support/key-server.ts";
import { createMemoryDeps, type MemoryDeps, PAGE_ORIGIN, sessionClaims } from "../support/memory-deps.ts";
import { START } from "../support/clock.ts";
import { jsonBody, problemOf } from "../support/requests.ts";
import { claims, HEADER, openSignIns, signIn } from "./sign-ins.ts";

const NOW = START / 1_000;

const { memory, exchange, refusal, signed } = await openSignIns();
const key = await memory.apiKey();
const mint = async (body: object) => memory.app.request("/v1/tokens", jsonBody(body, { "x-api-key": key }));
afterAll(() => memory.stop());

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
    ["false", '{"exp":false}'],
    ["a list", `{"exp":[${NOW + 50}]}`],
    ["before iat", `{"exp":${NOW - 11}}`],
    ["a year ahead", `{"exp":${NOW + 31_536_000}}`],
  ])("J09 refuses an exp that is %s", async (_, given) => {
    const { exp: _exp, ...rest } = sessionClaims(START);
    const payload = JSON.stringify(rest).slice(0, -1) + (given === "{}" ? "}" : `,${given.slice(1)}`);
    expect(await refusal(signed(HEADER, payload))).toEqual({ status: 401, code: "bad_claims" });
  });

  it("J09 refuses what is no number, nor anything else of JSON", async () => {
    for (const exp of ["NaN", "Infinity", "0x7fffffff"]) {
      const payload = JSON.stringify(claims()).replace(/"exp":\d+/, `"exp":${exp}`);
      expect(await refusal(signed(HEADER, payload))).toEqual({ status: 401, code: "token_malformed" });
    }
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
      const response = await signIn(strict, signed(HEADER, claims(extra)));
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
  it("J16 refuses a sub of 10 kB for the size of its token", async () => {
    const token = signed(HEADER, claims({ sub: "x".repeat(10_000) }));
    expect(await refusal(token)).toEqual({ status: 401, code: "token_malformed" });
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
    const minted = await mint({ userId: sub });
    expect(await problemOf(minted)).toEqual({ status: 400, code: "bad_request" });
  });
  it.each<[what: string, given: string, shown: string]>([
    ["one spelling, nothing invisible, bounded", `e\u0301\u200b\u202e ${"x".repeat(300)}`, `é ${"x".repeat(98)}`],
    ["no letter cut off from its marks", `${"x".repeat(98)}q\u0307\u0323`, "x".repeat(98)],
    ["no flag cut in half", `${"x".repeat(99)}🇩🇪`, "x".repeat(99)],
    ["no colour cut off from its face", `${"x".repeat(99)}👍🏽`, "x".repeat(99)],
    ["what fits stays", `${"x".repeat(98)}🇩🇪`, `${"x".repeat(98)}🇩🇪`],
  ])("J21 mends a display name: %s", async (_, given, shown) => {
    const signedIn = await exchange(signed(HEADER, claims({ name: given, sub: "long-name" })));
    const minted = await mint({ userId: "long-name", name: given.slice(0, 200) });
    for (const reply of [signedIn, minted])
      expect(((await reply.json()) as { user: { name: string } }).user.name).toBe(shown);
  });
  it("J21 shows the id of who calls themselves by one endless letter", async () => {
    const name = "\u1100".repeat(150);
    const reply = await exchange(signed(HEADER, claims({ name, sub: "long-name" })));
    expect(await reply.json()).toMatchObject({ user: { name: "long-name" } });
  });
});
