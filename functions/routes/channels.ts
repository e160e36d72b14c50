import { words } from "#words";
import * as z from "zod/mini";
import { createChannel, listChannels, readChannel } from "../../domain/channels.ts";
import { readHistory } from "../../domain/history.ts";
import { Seq } from "../../protocol/frames.ts";
import { Channel, ChannelPage, CreateChannelRequest, HistoryPage } from "../../protocol/http.ts";
import { ChannelId } from "../../protocol/ids.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { answer, defineRoute, perCaller } from "../route.ts";
import { KEY_ERRORS, SESSION_ERRORS, TOKEN_ERRORS } from "./credentials.ts";

const Limit = z.optional(z.number().check(z.int(), z.gte(1), z.lte(LIMITS.historyMax)));
const ChannelParams = z.strictObject({ id: ChannelId });

export const create = defineRoute({
  id: "createChannel",
  method: "POST",
  path: "/v1/channels",
  aliases: ["/stream/channel"],
  tag: "Channels",
  summary: words("Create a channel"),
  description: words(
    "The caller becomes its owner and first member; a channel made with an API key has no owner. Sent again by the same caller it changes nothing and answers 200.",
  ),
  auth: ["session", "token", "key"],
  body: CreateChannelRequest,
  replies: {
    200: {
      description: words("It was there already, made by the same caller with the same parameters"),
      schema: Channel,
    },
    201: { description: words("Created"), schema: Channel },
  },
  errors: [
    ...new Set([...SESSION_ERRORS, ...KEY_ERRORS]),
    "bad_room_id",
    "reserved_id",
    "channel_exists",
    "body_too_large",
    "unsupported_media_type",
    "rate_limited",
    "driver_unavailable",
  ],
  limit: perCaller("channel"),
  handler: async (deps, { caller, body, requestId }) => {
    const { channel, created } = await createChannel(deps, caller, body, requestId);
    return created ? answer(201, channel) : answer(200, channel);
  },
});

export const list = defineRoute({
  id: "listChannels",
  method: "GET",
  path: "/v1/channels",
  tag: "Channels",
  summary: words("The caller's channels, ordered by id"),
  auth: ["token"],
  query: z.strictObject({ after: z.optional(ChannelId), limit: Limit }),
  replies: { 200: { description: words("One page; `next` is the `after` of the next one"), schema: ChannelPage } },
  errors: [...TOKEN_ERRORS, "bad_cursor", "rate_limited", "storage_unavailable"],
  invalid: { after: "bad_cursor" },
  limit: perCaller("read"),
  handler: async (deps, { caller, query }) => answer(200, await listChannels(deps, caller, query)),
});

export const read = defineRoute({
  id: "readChannel",
  method: "GET",
  path: "/v1/channels/:id",
  tag: "Channels",
  summary: words("One channel"),
  description: words(
    "All of it for a member; that it is there for whoever may join it; for others there is no such channel.",
  ),
  auth: ["token"],
  params: ChannelParams,
  replies: { 200: { description: words("The channel"), schema: Channel } },
  errors: [...TOKEN_ERRORS, "bad_room_id", "room_not_found", "rate_limited", "storage_unavailable"],
  invalid: { id: "bad_room_id" },
  limit: perCaller("read"),
  handler: async (deps, { caller, params }) => answer(200, await readChannel(deps, caller, params.id)),
});

export const history = defineRoute({
  id: "readHistory",
  method: "GET",
  path: "/v1/channels/:id/messages",
  tag: "Channels",
  summary: words("A page of a channel's messages, for its members"),
  description: words(
    "Ascending by `seq`. Without a position the newest page; `prev` is the `before` of the next older page, `next` the `after` of the next newer one. A message that was just acked is in it.",
  ),
  auth: ["token"],
  params: ChannelParams,
  query: z.strictObject({ before: z.optional(Seq), after: z.optional(Seq), limit: Limit }),
  replies: { 200: { description: words("One page"), schema: HistoryPage } },
  errors: [
    ...TOKEN_ERRORS,
    "bad_room_id",
    "bad_cursor",
    "room_not_found",
    "rate_limited",
    "storage_unavailable",
    "rooms_unavailable",
  ],
  invalid: { id: "bad_room_id", before: "bad_cursor", after: "bad_cursor" },
  limit: perCaller("read"),
  handler: async (deps, { caller, params, query }) => answer(200, await readHistory(deps, caller, params.id, query)),
});
