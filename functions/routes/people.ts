import { words } from "#words";
import * as z from "zod/mini";
import { banUser, revokeUser, unbanUser } from "../../domain/people.ts";
import { BanUserRequest, NoFields, RestrictionReply } from "../../protocol/http.ts";
import { UserId } from "../../protocol/ids.ts";
import { answer, defineRoute, perCaller } from "../route.ts";
import { KEY_ERRORS } from "./credentials.ts";

const params = z.strictObject({ id: UserId });
const COMPLETES = "A 503 says that not everybody could be told; the same request again completes it.";

export const revoke = defineRoute({
  id: "revokeUser",
  method: "POST",
  path: "/v1/users/:id/revoke",
  tag: "People",
  summary: words("End a user's sockets and refuse every token from before"),
  description: words("Sockets end within 2 s. Sign-ins from before are refused as well.", COMPLETES),
  auth: ["key"],
  params,
  body: NoFields,
  bodyIsOptional: true,
  replies: { 200: { description: words("Tokens issued from `revokedBefore` on work"), schema: RestrictionReply } },
  errors: [...KEY_ERRORS, "body_too_large", "unsupported_media_type", "rooms_unavailable"],
  limit: perCaller("manage"),
  handler: async (deps, { caller, params: { id }, requestId }) =>
    answer(200, await revokeUser(deps, { caller, userId: id, requestId })),
});

export const ban = defineRoute({
  id: "banUser",
  method: "POST",
  path: "/v1/users/:id/ban",
  tag: "People",
  summary: words("Ban a user from the whole app"),
  description: words("As a revocation, and no new tokens until the ban ends.", COMPLETES),
  auth: ["key"],
  params,
  body: BanUserRequest,
  bodyIsOptional: true,
  replies: { 200: { description: words("Banned"), schema: RestrictionReply } },
  errors: [...KEY_ERRORS, "body_too_large", "unsupported_media_type", "rooms_unavailable"],
  limit: perCaller("manage"),
  handler: async (deps, { caller, params: { id }, body, requestId }) =>
    answer(200, await banUser(deps, { caller, userId: id, requestId }, body)),
});

export const unban = defineRoute({
  id: "unbanUser",
  method: "DELETE",
  path: "/v1/users/:id/ban",
  tag: "People",
  summary: words("Lift a user's ban"),
  description: words("New tokens work again; those from before the ban stay revoked.", COMPLETES),
  auth: ["key"],
  params,
  replies: { 200: { description: words("Not banned, from before or from now on"), schema: RestrictionReply } },
  errors: [...KEY_ERRORS, "rooms_unavailable"],
  limit: perCaller("manage"),
  handler: async (deps, { caller, params: { id }, requestId }) =>
    answer(200, await unbanUser(deps, { caller, userId: id, requestId })),
});
