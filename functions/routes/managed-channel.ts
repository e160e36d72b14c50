import * as z from "zod/mini";
import { ChannelId } from "../../protocol/ids.ts";
import { KEY_ERRORS, TOKEN_ERRORS } from "./credentials.ts";

/** What the routes have in common by which a channel is managed: by its owner, and by servers of its app. */
export const MANAGED_CHANNEL = {
  tag: "Channels",
  auth: ["token", "key"],
  invalid: { id: "bad_room_id" },
} as const;

/** Begins their descriptions. */
export const BY_OWNER = "With an API key, or by the channel's owner.";

export const ManagedChannelParams = z.strictObject({ id: ChannelId });

export const MANAGED_CHANNEL_ERRORS = [
  ...new Set([...TOKEN_ERRORS, ...KEY_ERRORS]),
  "bad_room_id",
  "room_not_found",
  "forbidden",
] as const;
