import type { ErrorCode } from "../../protocol/errors.ts";

/** What our own `token` can be refused with, wherever one is taken. */
export const TOKEN_ERRORS = [
  "token_missing",
  "token_malformed",
  "bad_signature",
  "token_expired",
  "token_not_yet_valid",
  "wrong_issuer",
  "wrong_audience",
  "bad_claims",
  "wrong_token_kind",
  "token_revoked",
  "banned",
  "storage_unavailable",
] as const satisfies readonly ErrorCode[];

/** What a session token can be refused with. */
export const SESSION_ERRORS = [
  ...TOKEN_ERRORS,
  "wrong_party",
  "auth_unavailable",
] as const satisfies readonly ErrorCode[];

/** What an API key can be refused with. */
export const KEY_ERRORS = [
  "invalid_api_key",
  "key_in_browser",
  "storage_unavailable",
] as const satisfies readonly ErrorCode[];
