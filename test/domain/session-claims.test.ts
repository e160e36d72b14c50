import { describe, expect, it } from "vitest";
import { createTokenKeys, signChatToken } from "../../domain/chat-tokens.ts";
import { verifySession } from "../../domain/session-verifier.ts";
import { alice, APP, PAGE_ORIGIN } from "../support/memory-deps.ts";
import { createClock, START } from "../support/clock.ts";
import { answerTo, ISSUER, key, messageTo, NOW, OTHER_ISSUER, otherKey, token } from "./session-tokens.ts";
import { trustIssuer, verifierOf } from "../support/session-verifying.ts";

const clock = createClock();
const verifier = verifierOf(clock, trustIssuer(clock, ISSUER, [key]), trustIssuer(clock, OTHER_ISSUER, [otherKey]));

describe("the header", () => {
  it.each([
    ["J03", { alg: "RS384" }, "token_malformed"],
    ["J01", { alg: "none" }, "token_malformed"],
    ["J28", { typ: "at+jwt" }, "token_malformed"],
    ["J28", { typ: 7 }, "token_malformed"],
    ["J28", { typ: undefined }, "alice"],
    ["J28", { typ: "jwt" }, "alice"],
    ["J28", { cat: "cl_B7d4PD111AAA" }, "alice"],
    ["J28", { cat: "cl_I7d4PD111III" }, "alice"],
    ["J28", { cat: "cl_B7d4PD222AAA" }, "token_malformed"],
    ["J28", { cat: "" }, "token_malformed"],
    ["J07", { crit: [] }, "token_malformed"],
    ["J07", { b64: true }, "token_malformed"],
    ["J05", { kid: "" }, "token_malformed"],
    ["J05", { kid: 1 }, "token_malformed"],
    ["J06", { kid: undefined }, "token_malformed"],
    ["J05", { kid: "x".repeat(257) }, "token_malformed"],
    ["J05", { kid: "x".repeat(256) }, "bad_signature"],
    ["J05", { kid: "key-2" }, "bad_signature"],
  ])("%s %j: %s", async (_id, header, answer) => {
    expect(await answerTo(verifier, token({}, header))).toBe(answer);
  });

  it("T01 says which token was expected to whoever sends a chat token", async () => {
    const keys = await createTokenKeys("https://chat.test", "kD8s0Qz3vN5xR7tY2uW4eB6mJ9pL1aC0");
    const times = { issuedAt: START, expiresAt: START + 60_000 };
    const chat = await signChatToken(keys, "rest", { userId: alice, app: APP, name: undefined, ...times });
    expect(await answerTo(verifier, chat)).toBe("wrong_token_kind");
    expect(await messageTo(verifier, chat)).toBe("You passed a chat token, expected a session token");
  });
});

describe("the claims", () => {
  it.each([
    ["J16", { sub: "" }, "bad_claims"],
    ["J16", { sub: 0 }, "bad_claims"],
    ["J16", { sub: undefined }, "bad_claims"],
    ["J16", { sub: "a".repeat(129) }, "bad_claims"],
    ["J09", { exp: undefined }, "bad_claims"],
    ["J09", { exp: `${NOW + 50}` }, "bad_claims"],
    ["J09", { exp: NOW + 50.5 }, "bad_claims"],
    ["J09", { exp: 0, iat: -5 }, "bad_claims"],
    ["J09", { iat: 0 }, "bad_claims"],
    ["J11", { iat: undefined }, "bad_claims"],
    ["J11", { iat: NOW + 0.5 }, "bad_claims"],
    ["J09", { exp: NOW - 10, iat: NOW - 10 }, "bad_claims"],
    ["J09", { exp: NOW - 11, iat: NOW - 10 }, "bad_claims"],
    ["J11", { iat: NOW - 10, exp: NOW - 10 + 86_400 }, "alice"],
    ["J11", { iat: NOW - 10, exp: NOW - 10 + 86_401 }, "bad_claims"],
    ["J11", { iat: NOW + 5 }, "alice"],
    ["J11", { iat: NOW + 6 }, "token_not_yet_valid"],
    ["J10", { nbf: NOW + 5 }, "alice"],
    ["J10", { nbf: NOW + 6 }, "token_not_yet_valid"],
    ["J10", { nbf: NOW - 1_000 }, "alice"],
    ["J10", { nbf: "soon" }, "bad_claims"],
    ["J10", { nbf: null }, "bad_claims"],
    ["J10", { nbf: 0 }, "bad_claims"],
    ["J08", { exp: NOW - 4 }, "alice"],
    ["J08", { exp: NOW - 5 }, "token_expired"],
    ["J12", { iss: "https://evil.example" }, "wrong_issuer"],
    ["J12", { iss: `${ISSUER}/` }, "wrong_issuer"],
    ["J12", { iss: undefined }, "wrong_issuer"],
    ["J12", { iss: OTHER_ISSUER }, "bad_signature"],
  ])("%s %j: %s", async (_id, claims, answer) => {
    expect(await answerTo(verifier, token(claims))).toBe(answer);
  });

  it("says in words what is wrong with them", async () => {
    expect(await messageTo(verifier, token({ sub: "" }))).toBe("The token's sub cannot be a user id here");
    expect(await messageTo(verifier, token({ exp: "x" }))).toBe(
      "The token's exp and iat must be there, in whole seconds",
    );
    expect(await messageTo(verifier, token({ exp: NOW - 20, iat: NOW - 10 }))).toBe(
      "The token's life must be at most 24 hours",
    );
  });

  it.each([
    [["J14"], { parties: [PAGE_ORIGIN] }, {}, "alice"],
    [["J14"], { parties: [PAGE_ORIGIN, "https://b.example"] }, { azp: "https://b.example" }, "alice"],
    [["J14"], { parties: [PAGE_ORIGIN] }, { azp: undefined }, "wrong_party"],
    [["J14"], { parties: [PAGE_ORIGIN] }, { azp: [PAGE_ORIGIN] }, "wrong_party"],
    [["J14"], { parties: [PAGE_ORIGIN] }, { azp: "" }, "wrong_party"],
    [["J14"], { parties: [] }, {}, "wrong_party"],
    [["J13"], { audience: "chat" }, { aud: "chat" }, "alice"],
    [["J13"], { audience: "chat" }, { aud: ["chat"] }, "wrong_audience"],
    [["J13"], { audience: "chat" }, {}, "wrong_audience"],
    [["J13"], {}, { aud: "whoever" }, "alice"],
  ])("%j with %j, %j: %s", async (_ids, rules, claims, answer) => {
    const strict = verifierOf(clock, trustIssuer(clock, ISSUER, [key], rules));
    expect(await answerTo(strict, token(claims))).toBe(answer);
  });

  it.each([
    [{}, { name: undefined, image: undefined }],
    [{ name: "   " }, { name: undefined }],
    [{ name: 7 }, { name: undefined }],
    [{ name: "Al" }, { name: "Al" }],
    [{ name: "\u200b" }, { name: "alice" }],
    [{ image: "https://img.example/a.png" }, { image: "https://img.example/a.png" }],
    [
      { picture: "https://img.example/p.png", image: "https://img.example/a.png" },
      { image: "https://img.example/p.png" },
    ],
    [{ picture: "javascript:alert(1)" }, { image: undefined }],
    [{ picture: ["https://img.example/a.png"] }, { image: undefined }],
    [{ picture: 7 }, { image: undefined }],
  ])("of %j it shows %j", async (claims, shown) => {
    expect(await verifySession(verifier, token(claims))).toMatchObject(shown);
  });
});
