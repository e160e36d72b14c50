import * as z from "zod/mini";
import type { ChannelId } from "../protocol/ids.ts";
import type { AuditAction, AuditEntry } from "./ports/audit-log.ts";

// What a room has written into its own storage; its ids were checked before.
const isText = (value: unknown) => typeof value === "string";

/** An `AuditEntry` as a room keeps it until history has it. */
export const AuditEntryRecord: z.ZodMiniType<AuditEntry> = z.object({
  id: z.string(),
  at: z.number(),
  action: z.custom<AuditAction>(isText),
  actor: z.string(),
  channelId: z.nullable(z.custom<ChannelId>(isText)),
  subject: z.nullable(z.string()),
  requestId: z.nullable(z.string()),
  detail: z.nullable(z.string()),
});
