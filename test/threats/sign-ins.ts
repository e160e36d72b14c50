import { KeyObject } from "node:crypto";
import type { JWTPayload } from "jose";
import { START } from "../support/clock.ts";
import { createMemoryDeps, type MemoryDeps, sessionClaims } from "../support/memory-deps.ts";
import { rawJwt, signRsa } from "../support/raw-jwt.ts";
import { bearer, problemOf } from "../support/requests.ts";

type Part = object | string | Uint8Array;

/** The header of a good session token, and the claims of alice's. */
export const HEADER = { alg: "RS256", typ: "JWT", kid: "key-1" };
export const claims = (extra: object = {}): JWTPayload => ({ ...sessionClaims(START), ...extra });

/** Swaps a session token for chat tokens. */
export async function signIn({ app }: MemoryDeps, token: string): Promise<Response> {
  return app.request("/v1/token", { method: "POST", ...bearer(token) });
}

/** What sign-ins of an attacker's are tried on. */
export interface SignIns {
  memory: MemoryDeps;
  /** The issuer's, as attackers must not have it. */
  rsaKey: KeyObject;
  exchange(token: string): Promise<Response>;
  /** The problem that a token is refused with. */
  refusal(token: string): Promise<{ status: number; code: string }>;
  /** A token of these parts, with a signature that is right. */
  signed(header: Part, payload: Part): string;
}

/** A deployment that has its issuer's keys already, and refuses nobody for trying too often. */
export async function openSignIns(): Promise<SignIns> {
  const memory = await createMemoryDeps({ TOKEN_RATE_LIMIT: "100000" });
  const rsaKey = KeyObject.from(memory.key.privateKey);
  const sign = signRsa(rsaKey);
  await signIn(memory, await memory.session());
  return {
    memory,
    rsaKey,
    exchange: async (token) => signIn(memory, token),
    refusal: async (token) => problemOf(await signIn(memory, token)),
    signed: (header, payload) => rawJwt(header, payload, sign),
  };
}
