import { words } from "#words";
import * as z from "zod/mini";
import { liftBan, listBans, setBan } from "../../domain/bans.ts";
import { identityOf } from "../../domain/callers.ts";
import { addMembers, removeMember } from "../../domain/members.ts";
import {
  AddMembersRequest,
  Ban,
  BanPage,
  BanRequest,
  LiftReply,
  MembersReply,
  RemoveReply,
} from "../../protocol/http.ts";
import { ChannelId, UserId } from "../../protocol/ids.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { answer, defineRoute } from "../route.ts";
import { KEY_ERRORS, TOKEN_ERRORS } from "./credentials.ts";

const ChannelParams = z.strictObject({ id: ChannelId });
const PersonParams = z.strictObject({ id: ChannelId, userId: UserId });
const BY_OWNER = "With an API key, or by the channel's owner.";
const ERRORS = [
  ...new Set([...TOKEN_ERRORS, ...KEY_ERRORS]),
  "bad_room_id",
  "room_not_found",
  "forbidden",
  "rooms_unavailable",
] as const;
const BODY_ERRORS = [...ERRORS, "body_too_large", "unsupported_media_type"] as const;

export const ban = defineRoute({
  id: "setBan",
  method: "POST",
  path: "/v1/channels/:id/bans",
  tag: "Channels",
  summary: words("Ban somebody from a channel, or mute them there"),
  description: words(
    BY_OWNER,
    "A ban ends their sockets in it within 2 s and keeps them out, of its history too; who is muted reads on. It takes the place of the ban or mute there is. A 503 says that not everybody could be told; the same request again completes it.",
  ),
  auth: ["token", "key"],
  params: ChannelParams,
  body: BanRequest,
  replies: { 200: { description: words("In force"), schema: Ban } },
  errors: BODY_ERRORS,
  invalid: { id: "bad_room_id" },
  limit: { policy: "manage", by: ({ caller }) => identityOf(caller) },
  handler: async (deps, { caller, params, body, requestId }) =>
    answer(200, await setBan(deps, { caller, id: params.id, requestId }, body)),
});

export const list = defineRoute({
  id: "listBans",
  method: "GET",
  path: "/v1/channels/:id/bans",
  tag: "Channels",
  summary: words("A channel's bans and mutes in force, ordered by user id"),
  description: words(BY_OWNER),
  auth: ["token", "key"],
  params: ChannelParams,
  query: z.strictObject({
    after: z.optional(UserId),
    limit: z.optional(z.number().check(z.int(), z.gte(1), z.lte(LIMITS.historyMax))),
  }),
  replies: { 200: { description: words("One page; `next` is the `after` of the next one"), schema: BanPage } },
  errors: ERRORS,
  invalid: { id: "bad_room_id", after: "bad_cursor" },
  limit: { policy: "manage", by: ({ caller }) => identityOf(caller) },
  handler: async (deps, { caller, params, query }) =>
    answer(200, await listBans(deps, { caller, id: params.id }, query)),
});

export const lift = defineRoute({
  id: "liftBan",
  method: "DELETE",
  path: "/v1/channels/:id/bans/:userId",
  tag: "Channels",
  summary: words("Lift a ban or mute"),
  description: words(BY_OWNER),
  auth: ["token", "key"],
  params: PersonParams,
  replies: { 200: { description: words("`lifted` says whether there was one"), schema: LiftReply } },
  errors: ERRORS,
  invalid: { id: "bad_room_id" },
  limit: { policy: "manage", by: ({ caller }) => identityOf(caller) },
  handler: async (deps, { caller, params, requestId }) =>
    answer(200, await liftBan(deps, { caller, id: params.id, requestId }, params.userId)),
});

export const add = defineRoute({
  id: "addMembers",
  method: "POST",
  path: "/v1/channels/:id/members",
  tag: "Channels",
  summary: words("Add members to a channel"),
  description: words(BY_OWNER, "Who is a member already stays one."),
  auth: ["token", "key"],
  params: ChannelParams,
  body: AddMembersRequest,
  replies: { 200: { description: words("The channel's members, the first 100 of them"), schema: MembersReply } },
  errors: BODY_ERRORS,
  invalid: { id: "bad_room_id" },
  limit: { policy: "manage", by: ({ caller }) => identityOf(caller) },
  handler: async (deps, { caller, params, body, requestId }) =>
    answer(200, await addMembers(deps, { caller, id: params.id, requestId }, body)),
});

export const remove = defineRoute({
  id: "removeMember",
  method: "DELETE",
  path: "/v1/channels/:id/members/:userId",
  tag: "Channels",
  summary: words("Remove a member from a channel"),
  description: words(
    BY_OWNER,
    "People may remove themselves, the owner may not. Their sockets in it end within 2 s; a channel that is open they may join again.",
  ),
  auth: ["token", "key"],
  params: PersonParams,
  replies: { 200: { description: words("`removed` says whether they were a member"), schema: RemoveReply } },
  errors: ERRORS,
  invalid: { id: "bad_room_id" },
  limit: { policy: "manage", by: ({ caller }) => identityOf(caller) },
  handler: async (deps, { caller, params, requestId }) =>
    answer(200, await removeMember(deps, { caller, id: params.id, requestId }, params.userId)),
});
