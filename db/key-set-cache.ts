import * as z from "zod/mini";
import type { KeySetCache } from "../domain/ports/key-set-cache.ts";
import { parseJson } from "../protocol/json.ts";
import type { Redis } from "./upstash.ts";

/** As long as a key set may be used while its issuer is down. */
const KEPT_SECONDS = 24 * 60 * 60;

const Entry = z.object({ jwks: z.unknown(), fetchedAt: z.number() });

/** Keeps each issuer's last good key set in Redis. What is there and not an entry counts as nothing. */
export function createKeySetCache(redis: Redis): KeySetCache {
  const keyOf = (issuer: string) => `parley:jwks:${issuer}`;
  return {
    async load(issuer) {
      const text = await redis.send(["get", keyOf(issuer)]);
      const entry = z.safeParse(Entry, parseJson(typeof text === "string" ? text : ""));
      return entry.success ? entry.data : undefined;
    },
    async save(issuer, { jwks, fetchedAt }) {
      await redis.send(["set", keyOf(issuer), JSON.stringify({ jwks, fetchedAt }), "ex", KEPT_SECONDS]);
    },
  };
}
