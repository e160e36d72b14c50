import { words } from "#words";
import * as z from "zod/mini";
import { readAudit } from "../../domain/read-audit.ts";
import { AuditPage } from "../../protocol/http.ts";
import { ChannelId } from "../../protocol/ids.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { answer, defineRoute, perCaller } from "../route.ts";
import { KEY_ERRORS } from "./credentials.ts";

export const read = defineRoute({
  id: "readAudit",
  method: "GET",
  path: "/v1/audit",
  tag: "Operations",
  summary: words("The app's audit log, newest first"),
  auth: ["key"],
  query: z.strictObject({
    before: z.optional(z.number().check(z.int(), z.gte(1))),
    channelId: z.optional(ChannelId),
    limit: z.optional(z.number().check(z.int(), z.gte(1), z.lte(LIMITS.historyMax))),
  }),
  replies: { 200: { description: words("One page; `next` is the `before` of the next one"), schema: AuditPage } },
  errors: [...KEY_ERRORS, "bad_cursor", "bad_room_id", "rate_limited"],
  invalid: { before: "bad_cursor", channelId: "bad_room_id" },
  limit: perCaller("manage"),
  handler: async (deps, { caller, query }) => answer(200, await readAudit(deps, caller, query)),
});
