import { KeyObject } from "node:crypto";
import fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTokenKeys, signChatToken } from "../../domain/chat-tokens.ts";
import { type SessionVerifier, verifySession } from "../../domain/session-verifier.ts";
import { ChatError } from "../../protocol/errors.ts";
import { createSigningKey, type SigningKey } from "../support/key-server.ts";
import { alice, APP, PAGE_ORIGIN, sessionClaims } from "../support/memory-deps.ts";
import { type Clock, createClock, START } from "../support/clock.ts";
import { encodePart, rawJwt, signRsa } from "../support/raw-jwt.ts";
import { type TestIssuer, trustIssuer, verifierOf } from "../support/session-verifying.ts";

const ISSUER = "https://issuer.example.com";
const OTHER_ISSUER = "https://other.example.com";
const NOW = START / 1_000;

let key: SigningKey;
let otherKey: SigningKey;
let sign: (input: string) => string;
beforeAll(async () => {
  [key, otherKey] = await Promise.all([createSigningKey("key-1"), createSigningKey("key-9")]);
  sign = signRsa(KeyObject.from(key.privateKey));
});

let clock: Clock;
let issuer: TestIssuer;
let verifier: SessionVerifier;
beforeEach(() => {
  clock = createClock();
  issuer = trustIssuer(clock, ISSUER, [key]);
  verifier = verifierOf(clock, issuer, trustIssuer(clock, OTHER_ISSUER, [otherKey]));
});

const HEADER = { alg: "RS256", typ: "JWT", kid: "key-1" };
/** A token of alice's; what is undefined is taken away. */
const token = (claims: object = {}, header: object = {}) =>
  rawJwt({ ...HEADER, ...header }, sessionClaims(START, { ...claims }), sign);

async function answerTo(text: string, asked = verifier): Promise<string> {
  try {
    return (await verifySession(asked, text)).userId;
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
    return error.code;
  }
}
async function messageTo(text: string): Promise<string> {
  return verifySession(verifier, text).then(
    () => "taken",
    (error: Error) => error.message,
  );
}

describe("verifySession", () => {
  it("takes a good token, and of its claims only what it needs", async () => {
    const claims = {
      name: "  Alice\u200b  A. ",
      picture: "https://img.example/a.png",
      role: "admin",
      email: "a@example",
    };
    expect(await verifySession(verifier, token(claims))).toEqual({
      userId: "alice",
      name: "Alice A.",
      image: "https://img.example/a.png",
      issuedAt: (NOW - 10) * 1_000,
      expiresAt: (NOW + 50) * 1_000,
    });
  });

  it("takes every token of a known key whose claims are in order", async () => {
    const good = fc.record({
      sub: fc.stringMatching(/^[A-Za-z0-9_.@|-]{1,128}$/),
      iat: fc.integer({ min: NOW - 86_000, max: NOW + 5 }),
      left: fc.integer({ min: 1, max: 300 }),
    });
    await fc.assert(
      fc.asyncProperty(good, async ({ sub, iat, left }) => {
        const exp = Math.max(NOW - 4, iat + 1) + left;
        fc.pre(exp - iat <= 86_400);
        expect(await answerTo(token({ sub, iat, exp }))).toBe(sub);
      }),
      { numRuns: 100 },
    );
  });

  it("J23 refuses every good token that one letter was changed in, and throws nothing but a ChatError", async () => {
    const good = token();
    const letters = fc.constantFrom(..."ABab01-_.=+ \u0000é");
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), letters, async (at, letter) => {
        fc.pre(good.charAt(at) !== letter);
        expect(await answerTo(good.slice(0, at) + letter + good.slice(at + 1))).not.toBe("alice");
      }),
      { numRuns: 400 },
    );
  });

  it("throws nothing but a ChatError, whatever the header and the claims are", async () => {
    const value = fc.oneof(
      fc.constantFrom("RS256", "JWT", "key-1", ISSUER, PAGE_ORIGIN, NOW, NOW + 50, "alice"),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const part = (...names: string[]) =>
      fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
    const codes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        part("alg", "typ", "kid", "crit", "b64", "cat", "x"),
        part("iss", "sub", "azp", "aud", "exp", "iat", "nbf", "name", "picture"),
        fc.constantFrom("header", "claims", "both"),
        async (header, claims, wrong) => {
          const spoiltHeader = wrong === "claims" ? HEADER : { ...HEADER, ...header };
          const spoiltClaims = wrong === "header" ? sessionClaims(START) : { ...sessionClaims(START), ...claims };
          codes.add(await answerTo(rawJwt(spoiltHeader, spoiltClaims, sign)));
        },
      ),
      { numRuns: 2_000 },
    );
    expect([...codes]).toEqual(expect.arrayContaining(["token_malformed", "bad_claims", "wrong_issuer"]));
  });
});

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
    expect(await answerTo(token({}, header))).toBe(answer);
  });

  it("T01 says which token was expected to whoever sends a chat token", async () => {
    const keys = await createTokenKeys("https://chat.test", "kD8s0Qz3vN5xR7tY2uW4eB6mJ9pL1aC0");
    const times = { issuedAt: START, expiresAt: START + 60_000 };
    const chat = await signChatToken(keys, "rest", { userId: alice, app: APP, name: undefined, ...times });
    expect(await answerTo(chat)).toBe("wrong_token_kind");
    expect(await messageTo(chat)).toBe("You passed a chat token, expected a session token");
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
    expect(await answerTo(token(claims))).toBe(answer);
  });

  it("says in words what is wrong with them", async () => {
    expect(await messageTo(token({ sub: "" }))).toBe("The token's sub cannot be a user id here");
    expect(await messageTo(token({ exp: "x" }))).toBe("The token's exp and iat must be there, in whole seconds");
    expect(await messageTo(token({ exp: NOW - 20, iat: NOW - 10 }))).toBe("The token's life must be at most 24 hours");
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
    expect(await answerTo(token(claims), strict)).toBe(answer);
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

describe("the signature", () => {
  it("K09 J12 one issuer's key does not count for another, whatever the token says", async () => {
    const theirs = signRsa(KeyObject.from(otherKey.privateKey));
    const forged = (header: object, claims: object) =>
      rawJwt({ ...HEADER, ...header }, sessionClaims(START, { ...claims }), theirs);
    await answerTo(forged({ kid: "key-9" }, { iss: OTHER_ISSUER })); // their set is in memory from now on
    expect(await answerTo(forged({ kid: "key-9" }, { iss: OTHER_ISSUER }))).toBe("alice");
    expect(await answerTo(forged({ kid: "key-9" }, {}))).toBe("bad_signature");
    expect(await answerTo(forged({ kid: "key-1" }, {}))).toBe("bad_signature");
    // Who can sign with a key of ours learns that the issuer is wrong; who cannot learns no more than that.
    expect(await answerTo(forged({ kid: "key-9" }, { iss: "https://nobody.example" }))).toBe("wrong_issuer");
    expect(await answerTo(rawJwt({ ...HEADER, kid: "key-9" }, sessionClaims(START, { iss: "x" }), sign))).toBe(
      "bad_signature",
    );
  });

  it("keeps the reason for the log", async () => {
    const broken = token().slice(0, -8) + "AAAAAAAA";
    await expect(verifySession(verifier, broken)).rejects.toMatchObject({
      code: "bad_signature",
      cause: expect.any(Error),
    });
  });

  it("J26 is checked before the claims: who cannot sign is told nothing of them", async () => {
    const wrong = { exp: NOW - 1_000, iat: NOW - 2_000, sub: "" };
    const unsigned = rawJwt(HEADER, sessionClaims(START, wrong), () => encodePart("no signature"));
    expect(await answerTo(unsigned)).toBe("bad_signature");
  });
});

describe("what was verified before", () => {
  it("is known again without its key, and to its end only", async () => {
    const good = token({ exp: NOW + 50 });
    const first = await verifySession(verifier, good);
    expect(await verifySession(verifier, good)).toBe(first);
    clock.advance(49_999);
    expect(await verifySession(verifier, good)).toBe(first);
    clock.advance(1);
    const again = await verifySession(verifier, good); // within the tolerance, and looked at anew
    expect(again).toEqual(first);
    expect(again).not.toBe(first);
    clock.advance(5_000);
    expect(await answerTo(good)).toBe("token_expired");
  });

  it("K02 goes with the key it was verified with", async () => {
    const day = token({ exp: NOW + 80_000 });
    expect(await answerTo(day)).toBe("alice");
    issuer.published = [otherKey];
    clock.advance(11 * 60_000);
    expect(await answerTo(day)).toBe("bad_signature");
  });

  it("K02 goes when another key takes its key's name", async () => {
    const day = token({ exp: NOW + 80_000 });
    expect(await answerTo(day)).toBe("alice");
    issuer.published = [{ ...otherKey, publicJwk: { ...otherKey.publicJwk, kid: "key-1" } }];
    clock.advance(11 * 60_000);
    expect(await answerTo(day)).toBe("bad_signature");
  });

  it("does not make room for another token", async () => {
    expect(await answerTo(token())).toBe("alice");
    expect(await answerTo(token({ sub: "bob" }))).toBe("bob");
    expect(await answerTo(token().slice(0, -1))).not.toBe("alice");
  });

  it("J18 is of 8,192 characters at most", async () => {
    const ofLength = (length: number): string => {
      for (let filler = 5_000; filler < 6_100; filler++)
        for (const x of ["", "y", "yy"]) {
          const [claims, header] = [{ filler: "x".repeat(filler) }, { x }];
          const size = rawJwt({ ...HEADER, ...header }, sessionClaims(START, claims), () => "s".repeat(342)).length;
          if (size === length) return token(claims, header);
        }
      throw new Error("There is no such token");
    };
    expect(await answerTo(ofLength(8_192))).toBe("alice");
    expect(await answerTo(ofLength(8_193))).toBe("token_malformed");
  });

  it("J18 is not looked up for what is too long to be a token", async () => {
    expect(await answerTo(`${token()}${"A".repeat(8_192)}`)).toBe("token_malformed");
  });
});
