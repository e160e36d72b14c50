import { words } from "#words";
import * as z from "zod/mini";
import { identityOf } from "../../domain/callers.ts";
import { readModeration, saveModeration } from "../../domain/moderation-settings.ts";
import { readAudit } from "../../domain/read-audit.ts";
import { AuditPage, ModerationSettings } from "../../protocol/http.ts";
import { ChannelId } from "../../protocol/ids.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { answer, defineRoute } from "../route.ts";
import { KEY_ERRORS, TOKEN_ERRORS } from "./credentials.ts";

const params = z.strictObject({ id: ChannelId });
const replies = { 200: { description: words("What holds now"), schema: ModerationSettings } };
const BODY_ERRORS = ["body_too_large", "unsupported_media_type", "rate_limited"] as const;
const OF_CHANNEL = {
  path: "/v1/channels/:id/moderation",
  tag: "Channels",
  description: words("With an API key, or by the channel's owner. Its mode goes before the app's; the lists add up."),
  auth: ["token", "key"],
  params,
  replies,
  invalid: { id: "bad_room_id" },
} as const;
const CHANNEL_ERRORS = [
  ...new Set([...TOKEN_ERRORS, ...KEY_ERRORS]),
  "bad_room_id",
  "room_not_found",
  "forbidden",
] as const;
const OF_APP = { path: "/v1/moderation", tag: "Operations", auth: ["key"], replies } as const;

export const readApp = defineRoute({
  ...OF_APP,
  id: "readModeration",
  method: "GET",
  summary: words("What the app's content filter does"),
  errors: [...KEY_ERRORS, "rate_limited"],
  limit: { policy: "manage", by: ({ caller }) => identityOf(caller) },
  handler: async (deps, { caller }) => answer(200, await readModeration(deps, { caller, id: null })),
});

export const saveApp = defineRoute({
  ...OF_APP,
  id: "saveModeration",
  method: "PUT",
  summary: words("Set what the app's content filter does"),
  description: words("Live rooms go by it within a minute, where `ENABLE_MODERATION` is set."),
  body: ModerationSettings,
  errors: [...KEY_ERRORS, ...BODY_ERRORS],
  limit: { policy: "manage", by: ({ caller }) => identityOf(caller) },
  handler: async (deps, { caller, body, requestId }) =>
    answer(200, await saveModeration(deps, { caller, id: null, requestId }, body)),
});

export const readChannel = defineRoute({
  ...OF_CHANNEL,
  id: "readChannelModeration",
  method: "GET",
  summary: words("What the content filter does in a channel"),
  errors: [...CHANNEL_ERRORS, "rate_limited"],
  limit: { policy: "manage", by: ({ caller }) => identityOf(caller) },
  handler: async (deps, { caller, params: { id } }) => answer(200, await readModeration(deps, { caller, id })),
});

export const saveChannel = defineRoute({
  ...OF_CHANNEL,
  id: "saveChannelModeration",
  method: "PUT",
  summary: words("Set what the content filter does in a channel"),
  body: ModerationSettings,
  errors: [...CHANNEL_ERRORS, ...BODY_ERRORS],
  limit: { policy: "manage", by: ({ caller }) => identityOf(caller) },
  handler: async (deps, { caller, params: { id }, body, requestId }) =>
    answer(200, await saveModeration(deps, { caller, id, requestId }, body)),
});

export const audit = defineRoute({
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
  limit: { policy: "manage", by: ({ caller }) => identityOf(caller) },
  handler: async (deps, { caller, query }) => answer(200, await readAudit(deps, caller, query)),
});
