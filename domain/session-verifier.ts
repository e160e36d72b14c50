import { compactVerify } from "jose";
import { displayName, parseImageUrl } from "../protocol/content.ts";
import { ChatError } from "../protocol/errors.ts";
import { UserId } from "../protocol/ids.ts";
import { LIMITS, TIMES } from "../protocol/limits.ts";
import { BoundedMap } from "./bounded-map.ts";
import { claimedKind } from "./chat-tokens.ts";
import { readCompactJwt, type UnverifiedJwt } from "./compact-jwt.ts";
import type { KeySource } from "./jwks.ts";
import type { VerificationKey } from "./key-set.ts";
import type { Now } from "./ports/clock.ts";

/** An issuer whose session tokens are taken, with its own keys: a key never counts for another issuer. */
export interface TrustedIssuer {
  keys: KeySource;
  /** What `azp` must be one of; undefined takes any. */
  parties: readonly string[] | undefined;
  /** What `aud` must be; undefined takes any. */
  audience: string | undefined;
}

/** Who signed in, as verified. Copied claim by claim; nothing else of the token goes further. */
export interface SessionClaims {
  userId: UserId;
  /** As it is shown; undefined when the token has none. */
  name: string | undefined;
  image: string | undefined;
  /** Milliseconds since 1970. */
  issuedAt: number;
  expiresAt: number;
}

interface Verified {
  claims: SessionClaims;
  source: KeySource;
  key: VerificationKey;
}

/** What verifying sessions needs, made once: what was verified is remembered in it, by hash. */
export interface SessionVerifier {
  issuers: readonly TrustedIssuer[];
  now: Now;
  verified: BoundedMap<string, Verified>;
}

const REMEMBERED = 10_000;
const MAX_LIFE_SECONDS = 86_400;
const MAX_KID_CHARS = 256;
// Clerk marks session tokens so; the second mark means an instance that marks none. Others are templates and machines.
const SESSION_CATEGORIES: ReadonlySet<unknown> = new Set([undefined, "cl_B7d4PD111AAA", "cl_I7d4PD111III"]);

const utf8 = new TextEncoder();

/** A verifier for these issuers, with nothing verified yet. */
export function createSessionVerifier(issuers: readonly TrustedIssuer[], now: Now): SessionVerifier {
  return { issuers, now, verified: new BoundedMap(REMEMBERED) };
}

/**
 * Verifies a session token: its form, its signature by a key of its own issuer, and only then its claims.
 *
 * @throws {ChatError} `token_malformed`, `wrong_token_kind`, `wrong_issuer`, `bad_signature` (an unknown key too),
 *   `wrong_party`, `wrong_audience`, `bad_claims`, `token_expired`, `token_not_yet_valid`, `auth_unavailable`
 */
export async function verifySession(verifier: SessionVerifier, token: string): Promise<SessionClaims> {
  if (token.length > LIMITS.tokenMaxChars) throw new ChatError("token_malformed");
  const hash = await hashToken(token);
  const known = verifier.verified.get(hash);
  if (known !== undefined && isStillGood(known, verifier.now())) return known.claims;
  verifier.verified.delete(hash);
  const jwt = readCompactJwt(token);
  const kid = requireSessionHeader(jwt.header);
  const { issuer, key } = await findKey(verifier, jwt, kid);
  await requireSignature(token, key);
  if (jwt.payload["iss"] !== issuer.keys.issuer) throw new ChatError("wrong_issuer");
  const claims = readClaims(jwt.payload, issuer, verifier.now() / 1_000);
  verifier.verified.set(hash, { claims, source: issuer.keys, key });
  return claims;
}

// A key that has left its issuer's set takes with it everything that was verified with it.
function isStillGood({ claims, source, key }: Verified, now: number): boolean {
  return claims.expiresAt > now && source.peek(key.kid) === key;
}

function requireSessionHeader(header: UnverifiedJwt["header"]): string {
  if (claimedKind(header) !== undefined)
    throw new ChatError("wrong_token_kind", { detail: "You passed a chat token, expected a session token" });
  const { alg, typ, kid } = header;
  const isJwt = typ === undefined || (typeof typ === "string" && typ.toLowerCase() === "jwt");
  const isPlain = !("crit" in header) && !("b64" in header) && SESSION_CATEGORIES.has(header["cat"]);
  if (alg !== "RS256" || !isJwt || !isPlain) throw new ChatError("token_malformed");
  if (typeof kid !== "string" || kid === "" || kid.length > MAX_KID_CHARS) throw new ChatError("token_malformed");
  return kid;
}

async function findKey(
  { issuers }: SessionVerifier,
  { payload }: UnverifiedJwt,
  kid: string,
): Promise<{ issuer: TrustedIssuer; key: VerificationKey }> {
  const named = issuers.find(({ keys }) => keys.issuer === payload["iss"]);
  if (named !== undefined) {
    const key = named.keys.peek(kid) ?? (await named.keys.find(kid));
    if (key === undefined) throw new ChatError("bad_signature");
    return { issuer: named, key };
  }
  // Whether a claim is wrong is told only to who can sign: with one of our issuers' keys the signature is checked first.
  for (const issuer of issuers) {
    const key = issuer.keys.peek(kid);
    if (key !== undefined) return { issuer, key };
  }
  throw new ChatError("wrong_issuer");
}

async function requireSignature(token: string, { key }: VerificationKey): Promise<void> {
  try {
    await compactVerify(token, key, { algorithms: ["RS256"] });
  } catch (cause) {
    throw new ChatError("bad_signature", { cause });
  }
}

function readClaims(payload: UnverifiedJwt["payload"], issuer: TrustedIssuer, now: number): SessionClaims {
  const { azp, aud, sub, name } = payload;
  if (issuer.parties !== undefined && !(typeof azp === "string" && issuer.parties.includes(azp)))
    throw new ChatError("wrong_party");
  if (issuer.audience !== undefined && aud !== issuer.audience) throw new ChatError("wrong_audience");
  const { iat, exp } = readTimes(payload, now);
  const userId = UserId.safeParse(sub);
  if (!userId.success) throw new ChatError("bad_claims", { detail: "The token's sub cannot be a user id here" });
  return {
    userId: userId.data,
    name: typeof name === "string" && name.trim() !== "" ? displayName(name, userId.data) : undefined,
    image: readImage(payload["picture"] ?? payload["image"]),
    issuedAt: iat * 1_000,
    expiresAt: exp * 1_000,
  };
}

/** In seconds. */
function readTimes({ exp, iat, nbf }: UnverifiedJwt["payload"], now: number): { iat: number; exp: number } {
  if (!isSeconds(exp) || !isSeconds(iat) || (nbf !== undefined && !isSeconds(nbf)))
    throw new ChatError("bad_claims", { detail: "The token's exp and iat must be there, in whole seconds" });
  if (exp <= iat || exp - iat > MAX_LIFE_SECONDS)
    throw new ChatError("bad_claims", { detail: "The token's life must be at most 24 hours" });
  if (iat > now + TIMES.tokenToleranceSeconds) throw new ChatError("token_not_yet_valid");
  if (nbf !== undefined && nbf > now + TIMES.tokenToleranceSeconds) throw new ChatError("token_not_yet_valid");
  if (exp <= now - TIMES.tokenToleranceSeconds) throw new ChatError("token_expired");
  return { iat, exp };
}

function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0; // a number, as isSafeInteger has just said
}

// A picture is decoration: one that cannot be shown safely is left out, and the sign-in goes on.
function readImage(raw: unknown): string | undefined {
  if (typeof raw !== "string") return undefined;
  try {
    return parseImageUrl(raw);
  } catch {
    return undefined;
  }
}

async function hashToken(token: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", utf8.encode(token));
  return String.fromCharCode(...new Uint16Array(digest));
}
