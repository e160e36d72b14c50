import * as z from "zod/mini";
import { ChatError } from "../protocol/errors.ts";
import type { Restriction } from "./ports/restrictions.ts";

/** A restriction as it is kept outside the store. */
export const RestrictionRecord: z.ZodMiniType<Restriction> = z.object({
  revokedBefore: z.number(),
  ban: z.nullable(z.object({ until: z.nullable(z.number()) })),
});

export const UNRESTRICTED: Restriction = { revokedBefore: 0, ban: null };

/** Only a clock that was wrong can have revoked so far ahead, and then the next revocation puts it right. */
const CLOCK_WRONG_MS = 60_000;

/** From when tokens are refused, once one more revocation is known: never from an earlier time than before. */
export function laterRevocation(known: number, given: number): number {
  return known > given + CLOCK_WRONG_MS ? given : Math.max(known, given);
}

/** Whether the ban there is, if any, is in force. */
export function isBanned({ ban }: Pick<Restriction, "ban">, now: number): boolean {
  return ban !== null && (ban.until === null || ban.until > now);
}

/**
 * @param issuedAt When the token was issued that somebody shows; undefined for who is only spoken of.
 * @throws {ChatError} `banned`, `token_revoked`
 */
export function requireUnrestricted(restriction: Restriction, issuedAt: number | undefined, now: number): void {
  if (isBanned(restriction, now)) throw new ChatError("banned");
  if (issuedAt !== undefined && issuedAt < restriction.revokedBefore) throw new ChatError("token_revoked");
}
