import { base64url, compactVerify } from "jose";
import * as z from "zod/mini";
import { ChatError } from "../protocol/errors.ts";
import { AppId, UserId } from "../protocol/ids.ts";
import { TIMES } from "../protocol/limits.ts";
import { readCompactJwt } from "./compact-jwt.ts";

/** `rest` is the `token` of an answer, `ws` its `wsToken`; `internal` lets our Worker ask a room and lives a minute. */
export type TokenKind = "rest" | "ws" | "internal";

const KINDS = {
  rest: { typ: "chat-rest+jwt", aud: "chat:rest", field: "token" },
  ws: { typ: "chat-ws+jwt", aud: "chat:ws", field: "wsToken" },
  internal: { typ: "chat-internal+jwt", aud: "chat:internal", field: "internal" },
} as const satisfies Record<TokenKind, { typ: string; aud: string; field: string }>;

/** Who holds a chat token, as verified. */
export interface ChatClaims {
  userId: UserId;
  app: AppId;
  /** The display name at the time of issue. */
  name: string | undefined;
  tokenId: string;
  /** Milliseconds since 1970. */
  issuedAt: number;
  expiresAt: number;
}

/** The derived signing keys: the current secret's, and the previous one's while a rotation lasts. */
export interface TokenKeys {
  issuer: string;
  current: KeySet;
  previous: KeySet | undefined;
}
interface KeySet {
  kid: string;
  keys: Record<TokenKind, CryptoKey>;
  /** The first part of every token of a kind. */
  headers: Record<TokenKind, string>;
}

const Payload = z.object({
  iss: z.string(),
  aud: z.string(),
  sub: UserId,
  user_id: UserId,
  app: AppId,
  name: z.optional(z.string()),
  iat: z.number().check(z.int()),
  exp: z.number().check(z.int()),
  jti: z.string(),
});

const utf8 = new TextEncoder();

/**
 * Derives the keys of a deployment. Each kind of token has its own key, so that one kind can never pass for another even
 * where a check were forgotten (RFC 8725, 3.11).
 */
export async function createTokenKeys(issuer: string, secret: string, previousSecret?: string): Promise<TokenKeys> {
  return {
    issuer,
    current: await deriveKeys(secret),
    previous: previousSecret === undefined ? undefined : await deriveKeys(previousSecret),
  };
}

/** Signs a token of `kind` with the current secret. Times are milliseconds since 1970 and are cut to whole seconds. */
export async function signChatToken(
  keys: TokenKeys,
  kind: TokenKind,
  claims: Omit<ChatClaims, "tokenId"> & { tokenId?: string },
): Promise<string> {
  const { headers, keys: signingKeys } = keys.current;
  const payload = JSON.stringify({
    user_id: claims.userId,
    app: claims.app,
    name: claims.name,
    iss: keys.issuer,
    sub: claims.userId,
    aud: KINDS[kind].aud,
    iat: Math.floor(claims.issuedAt / 1_000),
    exp: Math.floor(claims.expiresAt / 1_000),
    jti: claims.tokenId ?? crypto.randomUUID(),
  });
  // By hand and not with jose's builder, which costs as much again as the signature: an exchange signs two tokens.
  const input = `${headers[kind]}.${base64url.encode(payload)}`;
  const signature = await crypto.subtle.sign("HMAC", signingKeys[kind], utf8.encode(input));
  return `${input}.${base64url.encode(new Uint8Array(signature))}`;
}

/**
 * Verifies a chat token of exactly one kind.
 *
 * @throws {ChatError} `token_malformed`, `wrong_token_kind` (says which of the two was expected), `bad_signature`,
 *   `wrong_issuer`, `wrong_audience`, `token_expired`, `token_not_yet_valid`, `bad_claims`
 */
export async function verifyChatToken(
  keys: TokenKeys,
  kind: TokenKind,
  token: string,
  now: number,
): Promise<ChatClaims> {
  const { header, payload: unverified } = readCompactJwt(token);
  requireKind(header, kind);
  const key = [keys.current, keys.previous].find((set) => set?.kid === header["kid"])?.keys[kind];
  if (key === undefined) throw new ChatError("bad_signature");
  await requireSignature(token, key);
  const payload = parsePayload(unverified);
  if (payload.iss !== keys.issuer) throw new ChatError("wrong_issuer");
  if (payload.aud !== KINDS[kind].aud) throw new ChatError("wrong_audience");
  if (payload.user_id !== payload.sub) throw new ChatError("bad_claims");
  requireTimes(payload, now);
  return {
    userId: payload.sub,
    app: payload.app,
    name: payload.name,
    tokenId: payload.jti,
    issuedAt: payload.iat * 1_000,
    expiresAt: payload.exp * 1_000,
  };
}

/** The kind a token says it is, unverified: for routes that take several kinds and must choose a verifier. */
export function claimedKind(header: Readonly<Record<string, unknown>>): TokenKind | undefined {
  return (Object.keys(KINDS) as TokenKind[]).find((kind) => KINDS[kind].typ === header["typ"]);
}

function requireKind(header: Readonly<Record<string, unknown>>, kind: TokenKind): void {
  const claimed = claimedKind(header);
  // jose reads the extension `b64`, which leaves a token its signature and gives it another payload; ours have none.
  const isPlain = header["alg"] === "HS256" && !("crit" in header) && !("b64" in header);
  if (claimed === kind && isPlain) return;
  if (claimed === undefined || claimed === kind)
    throw new ChatError("token_malformed", { detail: `Expected the chat ${KINDS[kind].field}` });
  throw new ChatError("wrong_token_kind", {
    detail: `You passed ${KINDS[claimed].field}, expected ${KINDS[kind].field}`,
  });
}

async function requireSignature(token: string, key: CryptoKey): Promise<void> {
  try {
    await compactVerify(token, key, { algorithms: ["HS256"] });
  } catch (cause) {
    throw new ChatError("bad_signature", { cause });
  }
}

function parsePayload(raw: unknown): z.infer<typeof Payload> {
  const parsed = Payload.safeParse(raw);
  if (!parsed.success) throw new ChatError("bad_claims");
  return parsed.data;
}

function requireTimes({ iat, exp }: { iat: number; exp: number }, now: number): void {
  const seconds = now / 1_000;
  if (exp <= iat) throw new ChatError("bad_claims");
  if (iat > seconds + TIMES.tokenToleranceSeconds) throw new ChatError("token_not_yet_valid");
  if (exp <= seconds - TIMES.tokenToleranceSeconds) throw new ChatError("token_expired");
}

async function deriveKeys(secret: string): Promise<KeySet> {
  const base = await crypto.subtle.importKey("raw", utf8.encode(secret), "HKDF", false, ["deriveKey", "deriveBits"]);
  const parameters = (info: string) => ({
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(32),
    info: utf8.encode(info),
  });
  const derive = (kind: TokenKind) =>
    crypto.subtle.deriveKey(
      parameters(`chat-token ${kind}`),
      base,
      { name: "HMAC", hash: "SHA-256", length: 256 },
      false,
      ["sign", "verify"],
    );
  const [rest, ws, internal, kidBits] = await Promise.all([
    derive("rest"),
    derive("ws"),
    derive("internal"),
    crypto.subtle.deriveBits(parameters("chat-token kid"), base, 64),
  ]);
  const kid = [...new Uint8Array(kidBits)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const header = (kind: TokenKind) => base64url.encode(JSON.stringify({ alg: "HS256", typ: KINDS[kind].typ, kid }));
  return {
    kid,
    keys: { rest, ws, internal },
    headers: { rest: header("rest"), ws: header("ws"), internal: header("internal") },
  };
}
