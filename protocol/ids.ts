import * as z from "zod/mini";

/** An application: every user, channel and key belongs to exactly one. */
export const AppId = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must match [a-z0-9-], 1 to 32 characters"))
  .brand<"AppId">();
export type AppId = z.infer<typeof AppId>;

/** A channel's id, and its room's: one id names both. Checked on the raw text, before any decoding. */
export const ChannelId = z
  .string()
  .check(z.regex(/^[A-Za-z0-9_-]{1,64}$/, "must match [A-Za-z0-9_-], 1 to 64 characters"))
  .brand<"ChannelId">();
export type ChannelId = z.infer<typeof ChannelId>;

/** A user's id, as the identity provider or the app's own server gives it. */
export const UserId = z
  .string()
  .check(z.regex(/^[A-Za-z0-9_.@|-]{1,128}$/, "must match [A-Za-z0-9_.@|-], 1 to 128 characters"))
  .brand<"UserId">();
export type UserId = z.infer<typeof UserId>;

/** The id a client gives its own message, so that a retry is recognised. */
export const ClientMessageId = z
  .string()
  .check(z.regex(/^[A-Za-z0-9_-]{8,64}$/, "must match [A-Za-z0-9_-], 8 to 64 characters"))
  .brand<"ClientMessageId">();
export type ClientMessageId = z.infer<typeof ClientMessageId>;

/** Names that no channel may take: they collide with objects, routes or people's trust. */
export const RESERVED_CHANNEL_IDS: ReadonlySet<string> = new Set([
  "__proto__",
  "constructor",
  "main",
  "admin",
  "system",
]);

/** The channel that always exists, in every app. */
export const LOBBY = ChannelId.parse("lobby");

/** Whether this is a channel id; a reserved one is, too. */
export function isChannelId(raw: unknown): raw is ChannelId {
  return ChannelId.safeParse(raw).success;
}

/** The name of a channel's room object. An app's rooms are its own: the app comes from the token, never from a URL. */
export function roomKey(app: AppId, channelId: ChannelId): string {
  return `${app}:${channelId}`;
}
