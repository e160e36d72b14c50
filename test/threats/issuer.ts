import { afterEach, beforeEach } from "vitest";
import { createSigningKey, type SigningKey, signWith } from "../support/key-server.ts";
import { createMemoryDeps, type MemoryDeps, sessionClaims } from "../support/memory-deps.ts";
import { signIn } from "./sign-ins.ts";

export const MINUTE = 60_000;
export const ISSUER = "https://issuer.example.com";
/** A key that the issuer does not publish yet. */
export const second = createSigningKey("key-2");

export let memory: MemoryDeps;

/** Every test of a file begins with an issuer of its own, and a deployment that has never asked it for its keys. */
export function openIssuerForEachTest(): void {
  beforeEach(async () => {
    memory = await createMemoryDeps({ TOKEN_RATE_LIMIT: "100000" });
  });
  afterEach(() => memory.stop());
}

export async function statusOf(token: string): Promise<number> {
  return (await signIn(memory, token)).status;
}

export async function signedBy(key: SigningKey, claims: object = {}): Promise<string> {
  return signWith(key, { ...sessionClaims(memory.clock.now()), ...claims });
}

/** A token with a kid that nobody has. */
export async function unknownToken(kid: string): Promise<string> {
  return memory.session({}, { kid });
}
