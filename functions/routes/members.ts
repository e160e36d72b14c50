import { words } from "#words";
import * as z from "zod/mini";
import { addMembers, removeMember } from "../../domain/members.ts";
import { AddMembersRequest, MembersReply, RemoveReply } from "../../protocol/http.ts";
import { ChannelId, UserId } from "../../protocol/ids.ts";
import { answer, defineRoute, perCaller } from "../route.ts";
import { BY_OWNER, MANAGED_CHANNEL, MANAGED_CHANNEL_ERRORS, ManagedChannelParams } from "./managed-channel.ts";

const ERRORS = [...MANAGED_CHANNEL_ERRORS, "rooms_unavailable"] as const;

export const add = defineRoute({
  ...MANAGED_CHANNEL,
  id: "addMembers",
  method: "POST",
  path: "/v1/channels/:id/members",
  summary: words("Add members to a channel"),
  description: words(BY_OWNER, "Who is a member already stays one."),
  params: ManagedChannelParams,
  body: AddMembersRequest,
  replies: { 200: { description: words("The channel's members, the first 100 of them"), schema: MembersReply } },
  errors: [...ERRORS, "body_too_large", "unsupported_media_type"],
  limit: perCaller("manage"),
  handler: async (deps, { caller, params, body, requestId }) =>
    answer(200, await addMembers(deps, { caller, id: params.id, requestId }, body)),
});

export const remove = defineRoute({
  ...MANAGED_CHANNEL,
  id: "removeMember",
  method: "DELETE",
  path: "/v1/channels/:id/members/:userId",
  summary: words("Remove a member from a channel"),
  description: words(
    BY_OWNER,
    "People may remove themselves, the owner may not. Their sockets in it end within 2 s; a channel that is open they may join again.",
  ),
  params: z.strictObject({ id: ChannelId, userId: UserId }),
  replies: { 200: { description: words("`removed` says whether they were a member"), schema: RemoveReply } },
  errors: ERRORS,
  limit: perCaller("manage"),
  handler: async (deps, { caller, params, requestId }) =>
    answer(200, await removeMember(deps, { caller, id: params.id, requestId }, params.userId)),
});
