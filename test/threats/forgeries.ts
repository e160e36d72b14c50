import { signChatToken, type TokenKeys, type TokenKind } from "../../domain/chat-tokens.ts";
import { alice, APP } from "../support/memory-deps.ts";
import { encodePart, rawJwt, signHmac } from "../support/raw-jwt.ts";

type Part = object | string | Uint8Array;

/** A deployment that forged chat tokens are tried on: its keys, as attackers must not have them, and its time. */
interface Deployment {
  keys: TokenKeys;
  kind: TokenKind;
  now: number;
}

/** What a forger works with: the parts of a good token, and even a signature that is right for any others. */
interface Bench {
  header: Readonly<Record<string, unknown>>;
  claims: Readonly<Record<string, unknown>>;
  good: { token: string; header: string; payload: string; signature: string };
  signed(header: Part, payload: Part): Promise<string>;
}

type Forge = (bench: Bench) => string | Promise<string>;

const unsigned =
  (alg: string, third: string): Forge =>
  ({ header, claims }) =>
    `${encodePart({ ...header, alg })}.${encodePart(claims)}.${third}`;
const withHeader =
  (over: object): Forge =>
  ({ header, claims, signed }) =>
    signed({ ...header, ...over }, claims);
const withClaims =
  (over: object): Forge =>
  ({ header, claims, signed }) =>
    signed(header, { ...claims, ...over });
const signedBy =
  (secret: string, over: object = {}): Forge =>
  ({ header, claims }) =>
    rawJwt({ ...header, ...over }, claims, signHmac(secret));

/** Chat tokens that nobody may get in with, and the code over HTTP. Where it can be, their signature is right. */
export const FORGERIES: [what: string, code: string, forge: Forge][] = [
  ["J01 of alg none, with nothing for a signature", "token_malformed", unsigned("none", "")],
  ["J01 of alg none, with something for a signature", "token_malformed", unsigned("none", "AAAA")],
  ["J01 of alg NONE", "token_malformed", unsigned("NONE", "c2lnbmF0dXJl")],
  ["J01 of alg NoNe", "token_malformed", unsigned("NoNe", "c2lnbmF0dXJl")],
  ["J01 of alg none, signed all the same", "token_malformed", withHeader({ alg: "none" })],
  ["J03 of alg HS512", "token_malformed", withHeader({ alg: "HS512" })],
  ["J03 of alg HS384", "token_malformed", withHeader({ alg: "HS384" })],
  ["J03 of alg RS256", "token_malformed", withHeader({ alg: "RS256" })],
  ["J03 of alg hs256", "token_malformed", withHeader({ alg: "hs256" })],
  ["J04 with a key of its own", "bad_signature", signedBy("abc", { jwk: { kty: "oct", k: "YWJj" } })],
  ["J04 with the address of a key", "bad_signature", signedBy("abc", { jku: "https://evil.example/jwks.json" })],
  ["J05 with a path for kid, and an empty file for key", "bad_signature", signedBy("", { kid: "../../dev/null" })],
  ["J05 with SQL for kid", "bad_signature", signedBy("x", { kid: "' union select 'x' --" })],
  ["J05 with an address for kid", "bad_signature", withHeader({ kid: "https://evil.example/key" })],
  ["J05 with the kid __proto__", "bad_signature", withHeader({ kid: "__proto__" })],
  ["J05 with the kid constructor", "bad_signature", withHeader({ kid: "constructor" })],
  ["J05 with the kid toString", "bad_signature", withHeader({ kid: "toString" })],
  ["J05 with an empty kid", "bad_signature", withHeader({ kid: "" })],
  ["J05 with null for kid", "bad_signature", withHeader({ kid: null })],
  [
    "J05 with a list of its right kid",
    "bad_signature",
    ({ header, claims, signed }) => signed({ ...header, kid: [header["kid"]] }, claims),
  ],
  ["J05 with a kid of 4 kB", "bad_signature", withHeader({ kid: "x".repeat(4_000) })],
  ["J06 without a kid", "bad_signature", withHeader({ kid: undefined })],
  ["J07 with exp marked as critical", "token_malformed", withHeader({ crit: ["exp"] })],
  ["J07 with nothing marked as critical", "token_malformed", withHeader({ crit: [] })],
  ["J07 with text marked as critical", "token_malformed", withHeader({ crit: "exp" })],
  ["J07 with a payload that is not encoded", "token_malformed", withHeader({ crit: ["b64"], b64: false })],
  ["J07 with b64 and no word of it in crit", "token_malformed", withHeader({ b64: false })],
  ["J09 with 1e308 for exp", "bad_claims", withClaims({ exp: 1e308 })],
  ["J09 without exp", "bad_claims", withClaims({ exp: undefined })],
  ["J11 without iat", "bad_claims", withClaims({ iat: undefined })],
  [
    "J12 of an issuer that only begins like ours",
    "wrong_issuer",
    ({ header, claims, signed }) => signed(header, { ...claims, iss: `${String(claims["iss"])}.evil.example` }),
  ],
  [
    "J13 for a list of audiences",
    "bad_claims",
    ({ header, claims, signed }) => signed(header, { ...claims, aud: [claims["aud"]] }),
  ],
  ["J16 with an empty sub", "bad_claims", withClaims({ sub: "", user_id: "" })],
  ["J16 with a number for sub", "bad_claims", withClaims({ sub: 0, user_id: 0 })],
  ["J16 with NUL in its sub", "bad_claims", withClaims({ sub: "a\u0000b", user_id: "a\u0000b" })],
  ["J21 with a look-alike of alice for sub", "bad_claims", withClaims({ sub: "аlice", user_id: "аlice" })],
  ["J18 of more than 8 KiB, and signed all the same", "token_malformed", withClaims({ name: "x".repeat(6_000) })],
  ["J18 of 12,000 dots", "token_malformed", () => ".".repeat(12_000)],
  ["J19 with padding", "token_malformed", ({ good }) => `${good.token}=`],
  [
    "J19 with padding in the middle",
    "token_malformed",
    ({ good }) => `${good.header}=.${good.payload}.${good.signature}`,
  ],
  [
    "J19 with a space in front of the signature",
    "token_malformed",
    ({ good }) => `${good.header}.${good.payload}. ${good.signature}`,
  ],
  [
    "J19 with bits that nothing reads",
    "token_malformed",
    ({ good }) => `${good.header}.${good.payload}.${looseEnd(good.signature)}`,
  ],
  ["J20 with a byte order mark", "token_malformed", ({ claims, signed }) => signed("\ufeff{}", claims)],
  [
    "J20 with claims in UTF-16",
    "token_malformed",
    ({ header, claims, signed }) => signed(header, Buffer.from(JSON.stringify(claims), "utf16le")),
  ],
  [
    "J20 with claims that are not UTF-8",
    "token_malformed",
    ({ header, signed }) => signed(header, Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)),
  ],
  ["J22 of two parts", "token_malformed", ({ good }) => `${good.header}.${good.payload}`],
  ["J22 of five parts", "token_malformed", ({ good }) => `${good.token}.AAAA.AAAA`],
  [
    "J22 as JSON",
    "token_malformed",
    ({ good: { header, payload, signature } }) => JSON.stringify({ protected: header, payload, signature }),
  ],
  [
    "J22 within a token",
    "token_malformed",
    ({ header, good, signed }) => signed({ ...header, cty: "JWT" }, good.token),
  ],
  ["J23 with its signature taken off", "token_malformed", ({ good }) => `${good.header}.${good.payload}.`],
  ["J23 with its signature cut", "bad_signature", ({ good }) => good.token.slice(0, -3)],
  [
    "J23 with another's claims",
    "bad_signature",
    ({ claims, good }) =>
      `${good.header}.${encodePart({ ...claims, sub: "admin", user_id: "admin" })}.${good.signature}`,
  ],
  ["J28 of another category", "token_malformed", withHeader({ typ: "at+jwt" })],
  [
    "T16 as Stream's development tokens are",
    "token_malformed",
    () => rawJwt({ alg: "HS256", typ: "JWT" }, { user_id: "alice" }, () => "devtoken"),
  ],
  ["T16 signed with a word", "bad_signature", signedBy("secret")],
  ["T17 signed with nothing", "bad_signature", signedBy("")],
];

/** The workbench of a forger who has even seen a token of alice's, and learned a signature. */
export async function openBench({ keys, kind, now }: Deployment): Promise<Bench> {
  const times = { issuedAt: now, expiresAt: now + 60_000 };
  const token = await signChatToken(keys, kind, { userId: alice, app: APP, name: undefined, ...times });
  const [header = "", payload = "", signature = ""] = token.split(".");
  return {
    header: decode(header),
    claims: decode(payload),
    good: { token, header, payload, signature },
    async signed(given, claims) {
      const input = `${encodePart(given)}.${encodePart(claims)}`;
      const bytes = await crypto.subtle.sign("HMAC", keys.current.keys[kind], new TextEncoder().encode(input));
      return `${input}.${encodePart(new Uint8Array(bytes))}`;
    },
  };
}

function decode(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>; // our own signer's
}

/** The same bytes, spelt with other spare bits. */
function looseEnd(part: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(part.charAt(part.length - 1));
  return part.slice(0, -1) + alphabet.charAt(last ^ 1);
}
