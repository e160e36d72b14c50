import { words } from "#words";
import { chatStatus } from "../../domain/chat-status.ts";
import { userIdentity } from "../../domain/callers.ts";
import { exchangeSession, mintTokens } from "../../domain/issue-tokens.ts";
import { ExchangeRequest, MintRequest, StatusReply, TokenReply } from "../../protocol/http.ts";
import { answer, defineRoute, perCaller } from "../route.ts";
import { KEY_ERRORS, SESSION_ERRORS } from "./credentials.ts";

export const exchange = defineRoute({
  id: "exchangeSession",
  method: "POST",
  path: "/v1/token",
  aliases: ["/stream/token", "/api/chat/token"],
  tag: "Tokens",
  summary: words("Swap the session token of your identity provider for chat tokens"),
  description: words(
    "The user is the one the session token names. A body is not needed; a `userId` in it, as older clients send, is ignored.",
  ),
  auth: ["session"],
  body: ExchangeRequest,
  bodyIsOptional: true,
  replies: { 200: { description: words("`token` is for HTTP, `wsToken` for sockets"), schema: TokenReply } },
  errors: [...SESSION_ERRORS, "body_too_large", "unsupported_media_type", "rate_limited", "driver_unavailable"],
  limit: perCaller("token"),
  handler: async (deps, { caller, startedAt }) => answer(200, await exchangeSession(deps, caller, startedAt)),
});

export const mint = defineRoute({
  id: "mintTokens",
  method: "POST",
  path: "/v1/tokens",
  aliases: ["/tokens", "/api/tokens"],
  tag: "Tokens",
  summary: words("Make chat tokens for a user of yours, from your own server"),
  description: words(
    "Creates the user or changes the given fields of the one there is. Never call this from a browser.",
  ),
  auth: ["key"],
  body: MintRequest,
  replies: { 200: { description: words("The same as an exchange answers"), schema: TokenReply } },
  errors: [
    ...KEY_ERRORS,
    "banned",
    "bad_url",
    "body_too_large",
    "unsupported_media_type",
    "rate_limited",
    "driver_unavailable",
  ],
  limit: {
    policy: "mint",
    by: ({ caller, body }) => userIdentity(caller.app, body.userId),
    about: ({ body }) => body.userId,
  },
  handler: async (deps, { caller, body, startedAt }) => answer(200, await mintTokens(deps, caller, body, startedAt)),
});

export const status = defineRoute({
  id: "readChatStatus",
  method: "GET",
  path: "/v1/token",
  aliases: ["/api/chat/token"],
  tag: "Tokens",
  summary: words("The caller's chat status; never a token"),
  auth: ["session", "token"],
  replies: {
    200: {
      description: words("Whether the caller is online, in how many channels, with how much unread"),
      schema: StatusReply,
    },
  },
  errors: [...SESSION_ERRORS, "rate_limited", "storage_unavailable"],
  limit: perCaller("read"),
  handler: async (deps, { caller }) => answer(200, await chatStatus(deps, caller)),
});
