import { ChatError, ERRORS } from "../protocol/errors.ts";
import type { Problem } from "../protocol/http.ts";

/** Headers that a status is not complete without. */
const STATUS_HEADERS: Readonly<Record<number, Record<string, string>>> = {
  426: { upgrade: "websocket", connection: "Upgrade" },
};

/**
 * The RFC 9457 answer for an error met before a route or a room was reached. Anything that is not a `ChatError` becomes
 * `internal` and shows nothing of itself.
 */
export function problemResponse(error: unknown): Response {
  const known = error instanceof ChatError ? error : new ChatError("internal");
  const body = problemOf(known, crypto.randomUUID());
  const { status } = body;
  const headers = new Headers({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...STATUS_HEADERS[status],
  });
  if (known.retryAfterMs !== undefined) headers.set("retry-after", String(Math.ceil(known.retryAfterMs / 1_000)));
  return new Response(JSON.stringify(body), { status, headers });
}

/** An error as RFC 9457 has it. `detail` is ours and was written to be shown; a cause never is. */
export function problemOf({ code, message }: ChatError, requestId: string): Problem {
  const { status, title } = ERRORS[code];
  return { type: `urn:parley:problem:${code}`, title, status, code, detail: message, requestId };
}
