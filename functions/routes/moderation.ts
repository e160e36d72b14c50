import { words } from "#words";
import { readModeration, saveModeration } from "../../domain/moderation-settings.ts";
import { ModerationSettings } from "../../protocol/http.ts";
import { answer, defineRoute, perCaller } from "../route.ts";
import { KEY_ERRORS } from "./credentials.ts";
import { BY_OWNER, MANAGED_CHANNEL, MANAGED_CHANNEL_ERRORS, ManagedChannelParams } from "./managed-channel.ts";

const replies = { 200: { description: words("What holds now"), schema: ModerationSettings } };
const BODY_ERRORS = ["body_too_large", "unsupported_media_type", "rate_limited"] as const;
const OF_CHANNEL = {
  ...MANAGED_CHANNEL,
  path: "/v1/channels/:id/moderation",
  description: words(BY_OWNER, "Its mode goes before the app's; the lists add up."),
  params: ManagedChannelParams,
  replies,
} as const;
const OF_APP = { path: "/v1/moderation", tag: "Operations", auth: ["key"], replies } as const;

export const readApp = defineRoute({
  ...OF_APP,
  id: "readModeration",
  method: "GET",
  summary: words("What the app's content filter does"),
  errors: [...KEY_ERRORS, "rate_limited"],
  limit: perCaller("manage"),
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
  limit: perCaller("manage"),
  handler: async (deps, { caller, body, requestId }) =>
    answer(200, await saveModeration(deps, { caller, id: null, requestId }, body)),
});

export const readChannel = defineRoute({
  ...OF_CHANNEL,
  id: "readChannelModeration",
  method: "GET",
  summary: words("What the content filter does in a channel"),
  errors: [...MANAGED_CHANNEL_ERRORS, "rate_limited"],
  limit: perCaller("manage"),
  handler: async (deps, { caller, params: { id } }) => answer(200, await readModeration(deps, { caller, id })),
});

export const saveChannel = defineRoute({
  ...OF_CHANNEL,
  id: "saveChannelModeration",
  method: "PUT",
  summary: words("Set what the content filter does in a channel"),
  body: ModerationSettings,
  errors: [...MANAGED_CHANNEL_ERRORS, ...BODY_ERRORS],
  limit: perCaller("manage"),
  handler: async (deps, { caller, params: { id }, body, requestId }) =>
    answer(200, await saveModeration(deps, { caller, id, requestId }, body)),
});
