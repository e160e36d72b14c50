import { words } from "#words";
import * as z from "zod/mini";
import { readRoomPresence, readUserPresence } from "../../domain/presence.ts";
import { RoomPresence, UserPresence } from "../../protocol/http.ts";
import { ChannelId, UserId } from "../../protocol/ids.ts";
import { answer, defineRoute, perCaller } from "../route.ts";
import { TOKEN_ERRORS } from "./credentials.ts";

export const ofRoom = defineRoute({
  id: "readRoomPresence",
  method: "GET",
  path: "/v1/presence",
  tag: "Presence",
  summary: words("Who is live in a room, for its members"),
  auth: ["token"],
  query: z.strictObject({ roomId: ChannelId }),
  replies: { 200: { description: words("The room's people"), schema: RoomPresence } },
  errors: [
    ...TOKEN_ERRORS,
    "bad_room_id",
    "room_not_found",
    "rate_limited",
    "storage_unavailable",
    "rooms_unavailable",
  ],
  invalid: { roomId: "bad_room_id" },
  limit: perCaller("read"),
  handler: async (deps, { caller, query }) => answer(200, await readRoomPresence(deps, caller, query.roomId)),
});

export const ofUser = defineRoute({
  id: "readUserPresence",
  method: "GET",
  path: "/v1/users/:id/presence",
  tag: "Presence",
  summary: words("Whether a user of the same app is online, and when they were last"),
  auth: ["token"],
  params: z.strictObject({ id: UserId }),
  replies: { 200: { description: words("The user's status"), schema: UserPresence } },
  errors: [...TOKEN_ERRORS, "rate_limited", "storage_unavailable"],
  limit: perCaller("read"),
  handler: async (deps, { caller, params }) => answer(200, await readUserPresence(deps, caller, params.id)),
});
