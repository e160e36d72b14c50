import { KeyObject } from "node:crypto";
import { type SessionVerifier, verifySession } from "../../domain/session-verifier.ts";
import { ChatError } from "../../protocol/errors.ts";
import { START } from "../support/clock.ts";
import { createSigningKey } from "../support/key-server.ts";
import { sessionClaims } from "../support/memory-deps.ts";
import { rawJwt, signRsa } from "../support/raw-jwt.ts";

export const ISSUER = "https://issuer.example.com";
export const OTHER_ISSUER = "https://other.example.com";
/** In seconds, as tokens have it. */
export const NOW = START / 1_000;

/** The key of each issuer. */
export const [key, otherKey] = await Promise.all([createSigningKey("key-1"), createSigningKey("key-9")]);
/** Signs as the first one does. */
export const sign = signRsa(KeyObject.from(key.privateKey));
export const HEADER = { alg: "RS256", typ: "JWT", kid: "key-1" };

/** A token of alice's; what is undefined is taken away. */
export function token(claims: object = {}, header: object = {}): string {
  return rawJwt({ ...HEADER, ...header }, sessionClaims(START, { ...claims }), sign);
}

/** Whom a token is taken for, or the code it is refused with. */
export async function answerTo(verifier: SessionVerifier, text: string): Promise<string> {
  try {
    return (await verifySession(verifier, text)).userId;
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
    return error.code;
  }
}

/** The words it is refused with. */
export async function messageTo(verifier: SessionVerifier, text: string): Promise<string> {
  return verifySession(verifier, text).then(
    () => "taken",
    (error: Error) => error.message,
  );
}
