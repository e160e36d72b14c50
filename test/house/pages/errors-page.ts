import { CLOSES, closeFor, ERRORS, type ErrorCode, isReconnectCode } from "../../../protocol/errors.ts";
import { page, table } from "./table.ts";

const RETRY: Record<(typeof ERRORS)[ErrorCode]["retry"], string> = {
  never: "no: the same request will be refused again",
  later: "yes, after `Retry-After` or `retryAfterMs`",
  refresh: "yes, with a new token",
  sign_in: "yes, after signing in again",
};

const CLOSE_MEANING: Record<keyof typeof CLOSES, string> = {
  restart: "The room or the gateway restarts; nothing is lost",
  token_expired: "The token's life is over: get a new one first",
  slow_consumer: "The client read too slowly for too long",
  resync:
    "The connection has gone silent or out of step, or has been in no room for a minute; join again from the last `seq`",
  internal: "Something went wrong on our side, or the deployment is not configured",
  auth_timeout: "No token came within 5 s",
  rate_limited: "Far too many messages; wait before coming back",
  invalid_token: "The token is not acceptable",
  protocol: "The client does not speak this protocol",
  wrong_token_kind: "A `token` was given where a `wsToken` is needed",
  forbidden: "The user may not be in this room",
  room_not_found: "There is no such room for this user",
  bad_origin: "The page's origin is not allowed",
  banned: "The user is banned from this room",
  connection_limit: "The user has more than five sockets in this room; the oldest was closed",
  too_many_errors: "Ten frames that could not be read",
  frame_too_big: "A frame of more than 16 KiB",
  unsupported_data: "A binary frame; only text is spoken",
};

/** `docs/errors.md`. */
export function errorsPage(): string {
  const codes = Object.keys(ERRORS) as ErrorCode[]; // the keys of the object itself
  const closes = Object.keys(CLOSES) as (keyof typeof CLOSES)[];
  return page(
    "# Errors",
    "Generated from `protocol/errors.ts`; `npx vitest run test/house -u` writes it anew.",
    "A refused request or frame gets an error and the connection lives on. Over HTTP it is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `code`, `detail` and `requestId`; on a socket it is an `error` frame with `code` and `message`. Branch on the code, never on the text: codes are added, never renamed.",
    "## Codes",
    table(
      ["code", "HTTP status", "means", "try again?"],
      codes.map((code) => [`\`${code}\``, String(ERRORS[code].status), ERRORS[code].title, RETRY[ERRORS[code].retry]]),
    ),
    "## Close codes",
    "A connection that must end gets a close code, and its range says what to do: 4000 to 4499 come back (after a wait that grows, with jitter), 4500 to 4999 stop. The close frame's reason is the name, in some cases followed by a colon and more.",
    table(
      ["code", "name", "come back?", "means"],
      closes.map((name) => [
        String(CLOSES[name]),
        `\`${name}\``,
        isReconnectCode(CLOSES[name]) ? "yes" : "no",
        CLOSE_MEANING[name],
      ]),
    ),
    "## From an error to a close",
    "When a token or the first room is refused, the socket cannot go on and is closed. Which close each code becomes:",
    table(
      ["close", "codes"],
      closes.flatMap((name) => {
        const causes = codes.filter((code) => closeFor(code) === name && name !== "internal");
        return causes.length === 0
          ? []
          : [[`${CLOSES[name]} \`${name}\``, causes.map((code) => `\`${code}\``).join(", ")]];
      }),
    ),
    "Every other code becomes 4005 `internal`.",
  );
}
