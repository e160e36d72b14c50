import { createHmac, hkdfSync } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  claimedKind,
  createTokenKeys,
  signChatToken,
  type TokenKeys,
  type TokenKind,
  verifyChatToken,
} from "../../domain/chat-tokens.ts";
import { ChatError } from "../../protocol/errors.ts";
import { AppId, UserId } from "../../protocol/ids.ts";
import { alice, APP } from "../support/memory-deps.ts";
import { START } from "../support/clock.ts";
import { encodePart, rawJwt } from "../support/raw-jwt.ts";

const SECRET = "kD8s0Qz3vN5xR7tY2uW4eB6mJ9pL1aC0";
const OLD_SECRET = "wE3nV9cX5zL1kJ7hG2fD8sA4pO6iU0yT";
const ISSUER = "https://chat.test";
const NOW = START / 1_000;
const KINDS = ["rest", "ws", "internal"] as const;
const TYPS = { rest: "chat-rest+jwt", ws: "chat-ws+jwt", internal: "chat-internal+jwt" };
const AUDIENCES = { rest: "chat:rest", ws: "chat:ws", internal: "chat:internal" };

let keys: TokenKeys;
beforeAll(async () => void (keys = await createTokenKeys(ISSUER, SECRET)));

const goodClaims = { userId: alice, app: APP, name: undefined, issuedAt: START, expiresAt: START + 60_000 };
const sign = (kind: TokenKind, over: Partial<Parameters<typeof signChatToken>[2]> = {}, by = keys) =>
  signChatToken(by, kind, { ...goodClaims, ...over });
async function answerTo(kind: TokenKind, token: string, { now = START, by = keys } = {}): Promise<string> {
  try {
    return (await verifyChatToken(by, kind, token, now)).userId;
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
    return error.code;
  }
}

/** Signs anything with the key that a kind of token has, as somebody could who knows the secret. */
function forge(kind: TokenKind, header: object, payload: object, secret = SECRET): string {
  const key = Buffer.from(hkdfSync("sha256", secret, new Uint8Array(32), `chat-token ${kind}`, 32));
  return rawJwt(header, payload, (input) => createHmac("sha256", key).update(input).digest("base64url"));
}
const headerOf = (kind: TokenKind, over: object = {}) => ({
  alg: "HS256",
  typ: TYPS[kind],
  kid: keys.current.kid,
  ...over,
});
const payloadOf = (kind: TokenKind, over: object = {}) => ({
  user_id: "alice",
  app: "demo",
  iss: ISSUER,
  sub: "alice",
  aud: AUDIENCES[kind],
  iat: NOW,
  exp: NOW + 60,
  jti: "id-1",
  ...over,
});

describe.each(KINDS)("a chat token of kind %s", (kind) => {
  it("comes back from its verifier as it went into its signer", async () => {
    const claims = fc.record({
      userId: fc.stringMatching(/^[A-Za-z0-9_.@|-]{1,128}$/).map((id) => UserId.parse(id)),
      app: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/).map((id) => AppId.parse(id)),
      name: fc.option(fc.string({ unit: "grapheme" }), { nil: undefined }),
      tokenId: fc.uuid(),
      issuedAt: fc.integer({ min: NOW - 86_400, max: NOW + 5 }).map((seconds) => seconds * 1_000),
      expiresAt: fc.integer({ min: NOW + 6, max: NOW + 86_400 }).map((seconds) => seconds * 1_000),
    });
    await fc.assert(
      fc.asyncProperty(claims, async (all) => {
        expect(await verifyChatToken(keys, kind, await signChatToken(keys, kind, all), START)).toEqual(all);
      }),
    );
  });

  it("is what RFC 7519 says: anybody with the derived key can make one", async () => {
    expect(await answerTo(kind, forge(kind, headerOf(kind), payloadOf(kind)))).toBe("alice");
    const [header = "", payload = ""] = (await sign(kind)).split(".");
    expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual(headerOf(kind));
    expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toEqual({
      ...payloadOf(kind),
      jti: expect.any(String),
    });
  });

  it("J23 is refused with any letter of it changed, and nothing but a ChatError is thrown", async () => {
    const good = await sign(kind);
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.constantFrom(..."ABab01-_.=+ \u0000é"), async (at, letter) => {
        fc.pre(good.charAt(at) !== letter);
        expect(await answerTo(kind, good.slice(0, at) + letter + good.slice(at + 1))).not.toBe("alice");
      }),
      { numRuns: 300 },
    );
  });

  it("T01 is refused where another kind is expected, in words", async () => {
    const names = { rest: "token", ws: "wsToken", internal: "internal" };
    for (const expected of KINDS.filter((other) => other !== kind)) {
      const detail = `You passed ${names[kind]}, expected ${names[expected]}`;
      await expect(verifyChatToken(keys, expected, await sign(kind), START)).rejects.toMatchObject({
        code: "wrong_token_kind",
        message: detail,
      });
      // Not by its header alone: its key and its audience are another kind's, too.
      expect(await answerTo(expected, forge(kind, headerOf(expected), payloadOf(expected)))).toBe("bad_signature");
      expect(await answerTo(expected, forge(expected, headerOf(expected), payloadOf(kind)))).toBe("wrong_audience");
    }
  });

  it("K10 is taken with the previous secret while a rotation lasts, and signed with the new one", async () => {
    const before = await createTokenKeys(ISSUER, OLD_SECRET);
    const rotating = await createTokenKeys(ISSUER, SECRET, OLD_SECRET);
    const old = await sign(kind, {}, before);
    expect(await answerTo(kind, old, { by: rotating })).toBe("alice");
    expect(await answerTo(kind, old)).toBe("bad_signature");
    expect(await answerTo(kind, await sign(kind, {}, rotating))).toBe("alice");
    expect(before.current.kid).toMatch(/^[0-9a-f]{16}$/);
    expect(before.current.kid).not.toBe(rotating.current.kid);
  });

  it("K10 T17 without a previous secret none is taken, and an empty one is not it", async () => {
    const empty = await createTokenKeys(ISSUER, "");
    expect(await answerTo(kind, await sign(kind, {}, empty))).toBe("bad_signature");
  });

  it("throws nothing but a ChatError, whatever is signed", async () => {
    const value = fc.oneof(
      fc.constantFrom("HS256", TYPS[kind], ISSUER, NOW, "alice", "demo"),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const part = (...names: string[]) =>
      fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(
        part("alg", "typ", "kid", "crit"),
        part("iss", "aud", "sub", "user_id", "app", "name", "iat", "exp", "jti"),
        fc.boolean(),
        async (header, payload, isHeaderGood) => {
          const token = forge(kind, headerOf(kind, isHeaderGood ? {} : header), payloadOf(kind, payload));
          expect(await answerTo(kind, token)).toMatch(/^[a-z_]+$|^alice$/);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("keys", () => {
  it("K10 follow from the secret alone, so that a new version takes the tokens of the one before", () => {
    expect(keys.current.kid).toBe("d3f80fc5e1588359");
  });

  it("never leave the runtime", () => {
    expect(Object.values(keys.current.keys).map(({ extractable }) => extractable)).toEqual([false, false, false]);
  });
});

describe("what is refused of a signed token", () => {
  it.each([
    ["J01", { alg: "none" }, "token_malformed"],
    ["J03", { alg: "HS512" }, "token_malformed"],
    ["J28", { typ: "JWT" }, "token_malformed"],
    ["J28", { typ: undefined }, "token_malformed"],
    ["J05", { kid: "other" }, "bad_signature"],
    ["J06", { kid: undefined }, "bad_signature"],
    ["J07", { crit: ["exp"] }, "token_malformed"],
    ["J07", { crit: ["b64"], b64: true }, "token_malformed"],
    ["J07", { b64: true }, "token_malformed"],
  ])("%s the header %j: %s", async (_id, over, code) => {
    expect(await answerTo("ws", forge("ws", headerOf("ws", over), payloadOf("ws")))).toBe(code);
  });

  it("says which token it wanted", async () => {
    const token = forge("ws", headerOf("ws", { typ: "JWT" }), payloadOf("ws"));
    await expect(verifyChatToken(keys, "ws", token, START)).rejects.toThrow("Expected the chat wsToken");
  });

  it("keeps the reason of a bad signature for the log", async () => {
    const token = forge("ws", headerOf("ws"), payloadOf("ws"), OLD_SECRET);
    await expect(verifyChatToken(keys, "ws", token, START)).rejects.toMatchObject({
      code: "bad_signature",
      cause: expect.any(Error),
    });
  });

  it.each([
    ["J12", { iss: "https://chat.test/" }, "wrong_issuer"],
    ["J12", { iss: undefined }, "bad_claims"],
    ["J13", { aud: ["chat:ws"] }, "bad_claims"],
    ["J13", { aud: "chat:rest" }, "wrong_audience"],
    ["T07", { user_id: "bob" }, "bad_claims"],
    ["T07", { user_id: undefined }, "bad_claims"],
    ["J16", { sub: "", user_id: "" }, "bad_claims"],
    ["J16", { sub: 7 }, "bad_claims"],
    ["T03", { app: "Demo" }, "bad_claims"],
    ["T03", { app: undefined }, "bad_claims"],
    ["T08", { name: 7 }, "bad_claims"],
    ["T08", { jti: undefined }, "bad_claims"],
    ["J09", { exp: undefined }, "bad_claims"],
    ["J09", { exp: NOW + 0.5 }, "bad_claims"],
    ["J09", { exp: 1e308 }, "bad_claims"],
    ["J09", { exp: `${NOW + 60}` }, "bad_claims"],
    ["J11", { iat: undefined }, "bad_claims"],
    ["J11", { iat: NOW - 0.5 }, "bad_claims"],
    ["J09", { iat: NOW, exp: NOW }, "bad_claims"],
    ["J09", { iat: NOW + 1, exp: NOW }, "bad_claims"],
    ["J11", { iat: NOW + 5 }, "alice"],
    ["J11", { iat: NOW + 6 }, "token_not_yet_valid"],
    ["J08", { iat: NOW - 60, exp: NOW - 4 }, "alice"],
    ["J08", { iat: NOW - 60, exp: NOW - 5 }, "token_expired"],
  ])("%s the claims %j: %s", async (_id, over, code) => {
    expect(await answerTo("ws", forge("ws", headerOf("ws"), payloadOf("ws", over)))).toBe(code);
  });

  it("J08 times are checked against the caller's clock, to any year", async () => {
    const token = await sign("ws");
    expect(await answerTo("ws", token, { now: START + 64_999 })).toBe("alice");
    expect(await answerTo("ws", token, { now: START + 65_000 })).toBe("token_expired");
    expect(await answerTo("ws", token, { now: START - 5_001 })).toBe("token_not_yet_valid");
    expect(await answerTo("ws", token, { now: START - 5_000 })).toBe("alice");
    const early = { issuedAt: Date.UTC(1999, 0, 1), expiresAt: Date.UTC(1999, 0, 2) };
    expect(await answerTo("ws", await sign("ws", early), { now: Date.UTC(1999, 0, 1, 12) })).toBe("alice");
  });

  it("cuts times to whole seconds", async () => {
    const token = await sign("ws", { issuedAt: START + 999, expiresAt: START + 60_999 });
    expect(await verifyChatToken(keys, "ws", token, START)).toMatchObject({
      issuedAt: START,
      expiresAt: START + 60_000,
    });
  });

  it("makes an id for each token that is given none", async () => {
    const ids = await Promise.all(
      [1, 2].map(async () => (await verifyChatToken(keys, "ws", await sign("ws"), START)).tokenId),
    );
    expect(new Set(ids).size).toBe(2);
  });
});

describe("claimedKind", () => {
  it.each([
    ["chat-rest+jwt", "rest"],
    ["chat-ws+jwt", "ws"],
    ["chat-internal+jwt", "internal"],
    ["JWT", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("typ %j is of kind %j", (typ, kind) => {
    expect(claimedKind({ typ })).toBe(kind);
  });

  it("J02 a signature by the secret itself is none: each kind has a derived key", async () => {
    const input = `${encodePart(headerOf("ws"))}.${encodePart(payloadOf("ws"))}`;
    const signature = createHmac("sha256", SECRET).update(input).digest("base64url");
    expect(await answerTo("ws", `${input}.${signature}`)).toBe("bad_signature");
  });
});
