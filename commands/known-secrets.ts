import { createHash } from "node:crypto";
import known from "./known-secrets.json" with { type: "json" };

// The first bytes of each one's SHA-256, so that the list itself is of no use to anybody who looks for secrets.
const HASH_BYTES = 4;
const hashes = Buffer.from(known.hashes, "base64");

/** Whether a secret stands in the public list of secrets for JWTs, which attackers try first. */
export function isKnownSecret(secret: string): boolean {
  const hash = createHash("sha256").update(secret).digest().subarray(0, HASH_BYTES);
  for (let at = 0; at < hashes.length; at += HASH_BYTES)
    if (hash.equals(hashes.subarray(at, at + HASH_BYTES))) return true;
  return false;
}
