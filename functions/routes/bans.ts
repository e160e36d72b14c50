import { words } from "#words";
import * as z from "zod/mini";
import { liftBan, listBans, setBan } from "../../domain/bans.ts";
import { Ban, BanPage, BanRequest, LiftReply } from "../../protocol/http.ts";
import { ChannelId, UserId } from "../../protocol/ids.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { answer, defineRoute, perCaller } from "../route.ts";
import { BY_OWNER, MANAGED_CHANNEL, MANAGED_CHANNEL_ERRORS, ManagedChannelParams } from "./managed-channel.ts";

const ERRORS = [...MANAGED_CHANNEL_ERRORS, "rooms_unavailable"] as const;

export const set = defineRoute({
  ...MANAGED_CHANNEL,
  id: "setBan",
  method: "POST",
  path: "/v1/channels/:id/bans",
  summary: words("Ban somebody from a channel, or mute them there"),
  description: words(
    BY_OWNER,
    "A ban ends their sockets in it within 2 s and keeps them out, of its history too; who is muted reads on. It takes the place of the ban or mute there is. A 503 says that not everybody could be told; the same request again completes it.",
  ),
  params: ManagedChannelParams,
  body: BanRequest,
  replies: { 200: { description: words("In force"), schema: Ban } },
  errors: [...ERRORS, "body_too_large", "unsupported_media_type"],
  limit: perCaller("manage"),
  handler: async (deps, { caller, params, body, requestId }) =>
    answer(200, await setBan(deps, { caller, id: params.id, requestId }, body)),
});

export const list = defineRoute({
  ...MANAGED_CHANNEL,
  id: "listBans",
  method: "GET",
  path: "/v1/channels/:id/bans",
  summary: words("A channel's bans and mutes in force, ordered by user id"),
  description: words(BY_OWNER),
  params: ManagedChannelParams,
  query: z.strictObject({
    after: z.optional(UserId),
    limit: z.optional(z.number().check(z.int(), z.gte(1), z.lte(LIMITS.historyMax))),
  }),
  replies: { 200: { description: words("One page; `next` is the `after` of the next one"), schema: BanPage } },
  errors: ERRORS,
  invalid: { ...MANAGED_CHANNEL.invalid, after: "bad_cursor" },
  limit: perCaller("manage"),
  handler: async (deps, { caller, params, query }) =>
    answer(200, await listBans(deps, { caller, id: params.id }, query)),
});

export const lift = defineRoute({
  ...MANAGED_CHANNEL,
  id: "liftBan",
  method: "DELETE",
  path: "/v1/channels/:id/bans/:userId",
  summary: words("Lift a ban or mute"),
  description: words(BY_OWNER),
  params: z.strictObject({ id: ChannelId, userId: UserId }),
  replies: { 200: { description: words("`lifted` says whether there was one"), schema: LiftReply } },
  errors: ERRORS,
  limit: perCaller("manage"),
  handler: async (deps, { caller, params, requestId }) =>
    answer(200, await liftBan(deps, { caller, id: params.id, requestId }, params.userId)),
});
