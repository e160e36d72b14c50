import * as z from "zod/mini";
import { userIdentity } from "../domain/callers.ts";
import type { Now } from "../domain/ports/clock.ts";
import type { Restriction, RestrictionBoard } from "../domain/ports/restrictions.ts";
import { RestrictionRecord, UNRESTRICTED } from "../domain/restriction.ts";
import { parseJson } from "../protocol/json.ts";
import { hashIdentity } from "./identity-hash.ts";
import type { Redis } from "./upstash.ts";

/** Longer than any token or sign-in lives: then nothing is left that a revocation could refuse. */
const REVOKED_MS = 25 * 3_600_000;

/** Copies of the store's restrictions, one key for each user who has any, where the limiter finds them on its way. */
export function createRestrictionBoard(redis: Redis, now: Now = Date.now): RestrictionBoard {
  return {
    async saveRestriction(app, userId, restriction) {
      const key = restrictionKey(await hashIdentity(userIdentity(app, userId)));
      const seconds = Math.ceil((endOf(restriction) - now()) / 1_000);
      if (seconds === Infinity) await redis.send(["set", key, JSON.stringify(restriction)]);
      else if (seconds > 0) await redis.send(["set", key, JSON.stringify(restriction), "ex", seconds]);
      else await redis.send(["del", key]);
    },
  };
}

/** @param hashed The user's identity, hashed. */
export function restrictionKey(hashed: string): string {
  return `parley:restriction:${hashed}`;
}

/** What Redis has answered; undefined when something else is in its place, so that the store is asked. */
export function readRestriction(raw: unknown): Restriction | undefined {
  if (raw === null) return UNRESTRICTED;
  const restriction = z.safeParse(RestrictionRecord, parseJson(typeof raw === "string" ? raw : ""));
  return restriction.success ? restriction.data : undefined;
}

function endOf({ revokedBefore, ban }: Restriction): number {
  const banned = ban === null ? 0 : (ban.until ?? Infinity);
  return Math.max(banned, revokedBefore === 0 ? 0 : revokedBefore + REVOKED_MS);
}
