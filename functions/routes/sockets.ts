import { words } from "#words";
import * as z from "zod/mini";
import { ChatError } from "../../protocol/errors.ts";
import { defineRoute } from "../route.ts";

/** Upgrades never come this far: the gateway takes them before. What does is a request that is none. */
export const open = defineRoute({
  id: "openSocket",
  method: "GET",
  path: "/ws",
  aliases: ["/api/ws"],
  tag: "Sockets",
  summary: words("Open a WebSocket for all of a client's rooms"),
  description: words(
    "The `wsToken` comes as `Authorization: Bearer`, as subprotocol `chat.v1, chat.token.<jwt>`, as first frame or as `?token=`. A bad token is accepted and then closed with a code, because browsers cannot see a refused upgrade.",
  ),
  auth: [],
  replies: { 101: { description: words("Switching to WebSocket"), schema: z.undefined() } },
  errors: ["upgrade_required", "bad_room_id", "bad_cursor", "bad_origin"],
  handler: async () => {
    throw new ChatError("upgrade_required");
  },
});
