import { ChatError, ERRORS } from "../protocol/errors.ts";

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
  const { status, title } = ERRORS[known.code];
  const body = {
    type: `urn:parley:problem:${known.code}`,
    title,
    status,
    code: known.code,
    detail: known.message,
    requestId: crypto.randomUUID(),
  };
  const headers = new Headers({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...STATUS_HEADERS[status],
  });
  if (known.retryAfterMs !== undefined) headers.set("retry-after", String(Math.ceil(known.retryAfterMs / 1_000)));
  return new Response(JSON.stringify(body), { status, headers });
}
