/**
 * What can go wrong, once for the whole product.
 *
 * A refused request or frame gets an error from `ERRORS` and the connection lives on. A connection that must end gets a
 * close code from `CLOSES`: 4000-4499 means come back, 4500-4999 means stop. Codes are added, never renamed.
 */
export const ERRORS = {
  bad_request: { status: 400, retry: "never", title: "The request does not have the documented shape" },
  bad_room_id: { status: 400, retry: "never", title: "That is not a channel id" },
  reserved_id: { status: 400, retry: "never", title: "That id is reserved" },
  bad_cursor: { status: 400, retry: "never", title: "That is not a position in a history" },
  bad_url: { status: 400, retry: "never", title: "Only https links without credentials are taken" },
  bad_content: { status: 400, retry: "never", title: "The content cannot be kept as it is" },
  content_too_long: { status: 400, retry: "never", title: "The content is too long" },
  token_missing: { status: 401, retry: "sign_in", title: "A token is needed" },
  token_malformed: { status: 401, retry: "sign_in", title: "The token is not a well-formed JWT of an accepted kind" },
  bad_signature: { status: 401, retry: "sign_in", title: "The token's signature does not verify" },
  token_expired: { status: 401, retry: "refresh", title: "The token has expired" },
  token_not_yet_valid: { status: 401, retry: "later", title: "The token is not valid yet" },
  wrong_issuer: { status: 401, retry: "sign_in", title: "The token's issuer is not trusted here" },
  wrong_party: { status: 401, retry: "sign_in", title: "The token was issued to another application" },
  wrong_audience: { status: 401, retry: "sign_in", title: "The token is meant for somebody else" },
  bad_claims: { status: 401, retry: "sign_in", title: "The token's claims cannot be accepted" },
  wrong_token_kind: { status: 401, retry: "never", title: "That is a token of another kind" },
  token_revoked: { status: 401, retry: "sign_in", title: "The token was revoked" },
  invalid_api_key: { status: 401, retry: "never", title: "Invalid API key" },
  key_in_browser: { status: 403, retry: "never", title: "An API key must never reach a browser" },
  forbidden: { status: 403, retry: "never", title: "You cannot do that here" },
  banned: { status: 403, retry: "never", title: "You are banned here" },
  bad_origin: { status: 403, retry: "never", title: "This origin is not allowed" },
  not_found: { status: 404, retry: "never", title: "There is nothing at this address" },
  room_not_found: { status: 404, retry: "never", title: "There is no such channel for you" },
  method_not_allowed: { status: 405, retry: "never", title: "This address does not take that method" },
  channel_exists: { status: 409, retry: "never", title: "A channel of that id exists already" },
  body_too_large: { status: 413, retry: "never", title: "The body is too large" },
  unsupported_media_type: { status: 415, retry: "never", title: "The body must be application/json in UTF-8" },
  upgrade_required: { status: 426, retry: "never", title: "This address speaks WebSocket" },
  rate_limited: { status: 429, retry: "later", title: "Too many requests" },
  internal: { status: 500, retry: "later", title: "Something went wrong on our side" },
  auth_unavailable: { status: 503, retry: "later", title: "Sign-ins cannot be checked at the moment" },
  storage_unavailable: { status: 503, retry: "later", title: "The store cannot be reached at the moment" },
  rooms_unavailable: { status: 503, retry: "later", title: "The room cannot be reached at the moment" },
  driver_unavailable: {
    status: 503,
    retry: "later",
    title: "The chat provider behind this deployment does not answer",
  },
  config_invalid: { status: 503, retry: "later", title: "This deployment is not configured safely and serves nothing" },
  bad_frame: { status: 400, retry: "never", title: "The frame does not have the documented shape" },
  unknown_type: { status: 400, retry: "never", title: "There is no frame of that type" },
  duplicate_conflict: { status: 409, retry: "never", title: "That client message id was used for other content" },
  blocked_by_moderation: { status: 403, retry: "never", title: "The content is not allowed here" },
  muted: { status: 403, retry: "later", title: "You cannot write here at the moment" },
  history_backlog: { status: 503, retry: "later", title: "History is not keeping up, try again later" },
} as const;
export type ErrorCode = keyof typeof ERRORS;

export const CLOSES = {
  restart: 4000,
  token_expired: 4001,
  slow_consumer: 4002,
  resync: 4003,
  internal: 4005,
  auth_timeout: 4008,
  rate_limited: 4029,
  invalid_token: 4500,
  protocol: 4501,
  wrong_token_kind: 4502,
  forbidden: 4503,
  room_not_found: 4504,
  bad_origin: 4505,
  banned: 4506,
  connection_limit: 4507,
  too_many_errors: 4508,
  frame_too_big: 4509,
  unsupported_data: 4510,
} as const;
export type CloseReason = keyof typeof CLOSES;

/** Stands in the reason of a 4506 for who is banned from the whole app: it ends a socket that many rooms share. */
export const BANNED_EVERYWHERE = "everywhere";

/** Whether a client that was closed with this code should come back (after a wait), as the code's range says. */
export function isReconnectCode(code: number): boolean {
  return code < 4500;
}

/** Extra facts of an error that a caller can act on. */
export interface ErrorDetail {
  detail?: string;
  /** How long to wait before trying again. */
  retryAfterMs?: number;
  cause?: unknown;
}

/** The only error thrown on purpose. `detail` is shown to the caller; `cause` never is. */
export class ChatError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  constructor(code: ErrorCode, { detail, retryAfterMs, cause }: ErrorDetail = {}) {
    super(detail ?? ERRORS[code].title, cause === undefined ? undefined : { cause });
    this.name = "ChatError";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Which close a socket gets when a token or a join is refused with `code` and the socket cannot go on. */
export function closeFor(code: ErrorCode): CloseReason {
  switch (code) {
    case "token_expired":
    case "token_not_yet_valid": // our clock has been set back, or the issuer's is ahead: a new token is of our time
      return "token_expired";
    case "wrong_token_kind":
      return "wrong_token_kind";
    case "token_missing":
      return "auth_timeout";
    case "forbidden":
      return "forbidden";
    case "banned":
      return "banned";
    case "room_not_found":
    case "bad_room_id":
    case "reserved_id":
      return "room_not_found";
    case "bad_origin":
      return "bad_origin";
    case "rate_limited":
      return "rate_limited";
    case "bad_frame":
    case "unknown_type":
    case "bad_request":
    case "bad_cursor":
      return "protocol";
    default:
      return ERRORS[code].status === 401 ? "invalid_token" : "internal";
  }
}
