import * as z from "zod/mini";

/** One public key of an issuer, ready to verify with. */
export interface VerificationKey {
  kid: string;
  /** Modulus and exponent as published, to recognise the same key in a later set. */
  fingerprint: string;
  key: CryptoKey;
}

/** A Map, never an object: `__proto__` is a kid like any other. */
export type VerificationKeys = ReadonlyMap<string, VerificationKey>;

const MAX_KEYS = 20;
const MIN_MODULUS_BITS = 2_048;
// Past this one verification costs more than a request may.
const MAX_MODULUS_BITS = 8_192;
const MIN_EXPONENT = 65_537;
const PRIVATE_PARTS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const BASE64URL = /^[A-Za-z0-9_-]+$/;

const Jwks = z.object({
  keys: z.array(z.record(z.string(), z.unknown())).check(z.minLength(1), z.maxLength(MAX_KEYS)),
});
const RsaKey = z.object({
  kid: z.string().check(z.minLength(1), z.maxLength(256)),
  n: z.string().check(z.regex(BASE64URL)),
  e: z.string().check(z.regex(BASE64URL), z.maxLength(8)),
});

/**
 * Reads an issuer's key set. Keys for other purposes (encryption, other algorithms) are left out; a set with anything in
 * it that no sound issuer publishes is refused whole: private or symmetric keys, weak RSA, one kid twice.
 *
 * @throws {Error} that says what is wrong with the set, in words fit for a log.
 */
export async function parseKeySet(raw: unknown): Promise<VerificationKeys> {
  const set = Jwks.safeParse(raw);
  if (!set.success) throw new Error(`the key set is not an object with 1 to ${MAX_KEYS} keys`);
  const jwks = set.data.keys;
  if (jwks.some((jwk) => jwk["kty"] === "oct" || PRIVATE_PARTS.some((part) => part in jwk)))
    throw new Error("the key set has a private or symmetric key");
  const keys = new Map<string, VerificationKey>();
  for (const key of await Promise.all(jwks.filter(isForRs256).map(importRsaKey))) {
    if (keys.has(key.kid)) throw new Error("the key set has two keys with one kid");
    keys.set(key.kid, key);
  }
  if (keys.size === 0) throw new Error("the key set has no RS256 key with a kid");
  return keys;
}

function isForRs256(jwk: Record<string, unknown>): boolean {
  const operations = jwk["key_ops"];
  return (
    jwk["kty"] === "RSA" &&
    jwk["kid"] !== undefined &&
    (jwk["use"] ?? "sig") === "sig" &&
    (jwk["alg"] ?? "RS256") === "RS256" &&
    (operations === undefined || (Array.isArray(operations) && operations.includes("verify")))
  );
}

async function importRsaKey(jwk: Record<string, unknown>): Promise<VerificationKey> {
  const { kid, n, e } = RsaKey.parse(jwk);
  const key = await crypto.subtle.importKey(
    "jwk",
    { kty: "RSA", n, e, alg: "RS256", use: "sig" },
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    false,
    ["verify"],
  );
  const { modulusLength, publicExponent } = key.algorithm as RsaHashedKeyAlgorithm; // an RSA key, as imported just above
  const exponent = publicExponent.reduce((sum, byte) => sum * 256 + byte, 0);
  if (
    modulusLength < MIN_MODULUS_BITS ||
    modulusLength > MAX_MODULUS_BITS ||
    exponent < MIN_EXPONENT ||
    exponent % 2 === 0
  )
    throw new Error("the key set has an RSA key that is too weak or too large");
  return { kid, fingerprint: `${n}.${e}`, key };
}
