import { KeyObject } from "node:crypto";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { type SessionVerifier, verifySession } from "../../domain/session-verifier.ts";
import { PAGE_ORIGIN, sessionClaims } from "../support/memory-deps.ts";
import { type Clock, createClock, START } from "../support/clock.ts";
import { rawJwt, signRsa, encodePart } from "../support/raw-jwt.ts";
import { answerTo, HEADER, ISSUER, key, NOW, OTHER_ISSUER, otherKey, sign, token } from "./session-tokens.ts";
import { type TestIssuer, trustIssuer, verifierOf } from "../support/session-verifying.ts";

let clock: Clock;
let issuer: TestIssuer;
let verifier: SessionVerifier;
beforeEach(() => {
  clock = createClock();
  issuer = trustIssuer(clock, ISSUER, [key]);
  verifier = verifierOf(clock, issuer, trustIssuer(clock, OTHER_ISSUER, [otherKey]));
});

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
        expect(await answerTo(verifier, token({ sub, iat, exp }))).toBe(sub);
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
        expect(await answerTo(verifier, good.slice(0, at) + letter + good.slice(at + 1))).not.toBe("alice");
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
          codes.add(await answerTo(verifier, rawJwt(spoiltHeader, spoiltClaims, sign)));
        },
      ),
      { numRuns: 2_000 },
    );
    expect([...codes]).toEqual(expect.arrayContaining(["token_malformed", "bad_claims", "wrong_issuer"]));
  });
});

describe("the signature", () => {
  it("K09 J12 one issuer's key does not count for another, whatever the token says", async () => {
    const theirs = signRsa(KeyObject.from(otherKey.privateKey));
    const forged = (header: object, claims: object) =>
      rawJwt({ ...HEADER, ...header }, sessionClaims(START, { ...claims }), theirs);
    await answerTo(verifier, forged({ kid: "key-9" }, { iss: OTHER_ISSUER })); // their set is in memory from now on
    expect(await answerTo(verifier, forged({ kid: "key-9" }, { iss: OTHER_ISSUER }))).toBe("alice");
    expect(await answerTo(verifier, forged({ kid: "key-9" }, {}))).toBe("bad_signature");
    expect(await answerTo(verifier, forged({ kid: "key-1" }, {}))).toBe("bad_signature");
    // Who can sign with a key of ours learns that the issuer is wrong; who cannot learns no more than that.
    expect(await answerTo(verifier, forged({ kid: "key-9" }, { iss: "https://nobody.example" }))).toBe("wrong_issuer");
    expect(
      await answerTo(verifier, rawJwt({ ...HEADER, kid: "key-9" }, sessionClaims(START, { iss: "x" }), sign)),
    ).toBe("bad_signature");
  });

  it("J12 is not asked for where neither the issuer nor the key is one of ours", async () => {
    const nobodys = rawJwt({ ...HEADER, kid: "key-7" }, sessionClaims(START, { iss: "https://nobody.example" }), sign);
    expect(await answerTo(verifier, nobodys)).toBe("wrong_issuer");
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
    expect(await answerTo(verifier, unsigned)).toBe("bad_signature");
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
    expect(await answerTo(verifier, good)).toBe("token_expired");
  });

  it("K02 goes with the key it was verified with", async () => {
    const day = token({ exp: NOW + 80_000 });
    expect(await answerTo(verifier, day)).toBe("alice");
    issuer.published = [otherKey];
    clock.advance(11 * 60_000);
    expect(await answerTo(verifier, day)).toBe("bad_signature");
  });

  it("K02 goes when another key takes its key's name", async () => {
    const day = token({ exp: NOW + 80_000 });
    expect(await answerTo(verifier, day)).toBe("alice");
    issuer.published = [{ ...otherKey, publicJwk: { ...otherKey.publicJwk, kid: "key-1" } }];
    clock.advance(11 * 60_000);
    expect(await answerTo(verifier, day)).toBe("bad_signature");
  });

  it("does not make room for another token", async () => {
    expect(await answerTo(verifier, token())).toBe("alice");
    expect(await answerTo(verifier, token({ sub: "bob" }))).toBe("bob");
    expect(await answerTo(verifier, token().slice(0, -1))).not.toBe("alice");
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
    expect(await answerTo(verifier, ofLength(8_192))).toBe("alice");
    expect(await answerTo(verifier, ofLength(8_193))).toBe("token_malformed");
  });

  it("J18 is not looked up for what is too long to be a token", async () => {
    expect(await answerTo(verifier, `${token()}${"A".repeat(8_192)}`)).toBe("token_malformed");
  });
});
