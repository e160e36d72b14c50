import * as z from "zod/mini";
import { UserId } from "../protocol/ids.ts";

/**
 * What our Worker has decided about somebody and the rooms have to carry out: at once for sockets that are open, and at the
 * door from then on. Times are milliseconds since 1970; `until` null: until it is lifted.
 */

const Who = { userId: UserId, requestId: z.string() };
const Until = z.nullable(z.number());
/** When the store took the decision in, by its own clock; of two about the same the later one holds, however they arrive. */
const DecidedAt = z.optional(z.number());
/** Orders are on their way for seconds. One that is that much older is not late: the store's clock was ahead. */
const LATE_MAX_MS = 60_000;

/** To one room. `expel` is `revoke` for somebody who is banned from the whole app. */
export const RoomOrder = z.discriminatedUnion("order", [
  z.object({ order: z.enum(["ban", "mute"]), ...Who, until: Until, decidedAt: DecidedAt }),
  z.object({ order: z.literal("lift"), ...Who, decidedAt: DecidedAt }),
  z.object({ order: z.literal("remove"), ...Who }),
  z.object({ order: z.enum(["revoke", "expel"]), ...Who, before: z.number() }),
]);
export type RoomOrder = z.infer<typeof RoomOrder>;

/** To the object that stands for a person: what is to become of their restriction. What is left out stays. */
export const PersonOrder = z.object({
  ...Who,
  revokedBefore: z.optional(z.number()),
  /** Null lifts it. */
  ban: z.optional(z.nullable(z.object({ until: Until }))),
  decidedAt: DecidedAt,
});
export type PersonOrder = z.infer<typeof PersonOrder>;

/** Whether something that was decided later than this order has been carried out before it. */
export function isOvertaken({ decidedAt }: { decidedAt?: number | undefined }, carriedOut: number): boolean {
  return decidedAt !== undefined && decidedAt < carriedOut && decidedAt > carriedOut - LATE_MAX_MS;
}
