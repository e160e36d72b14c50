import * as z from "zod/mini";
import { Seq } from "../protocol/frames.ts";
import { ClientMessageId, UserId } from "../protocol/ids.ts";
import type { RoomEvent } from "./ports/history.ts";

/** A `RoomEvent` as a room keeps it and tells it: read back from storage, and by our own Worker. */
export const RoomEventRecord: z.ZodMiniType<RoomEvent> = z.object({
  seq: Seq,
  epoch: z.string(),
  kind: z.literal("message"),
  id: z.string(),
  userId: UserId,
  username: z.string(),
  clientMessageId: z.nullable(ClientMessageId),
  content: z.string(),
  at: z.number(),
  moderation: z.optional(z.enum(["masked", "flagged"])),
  sentHash: z.optional(z.number()),
});
