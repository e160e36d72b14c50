import type { Settings } from "../domain/config.ts";
import { BoundedMap } from "../domain/bounded-map.ts";
import { isAllowedOrigin } from "../domain/origins.ts";
import type { LimitAnswer, LimitPolicyName } from "../domain/ports/limiter.ts";
import { problemOf } from "../domain/problem.ts";
import type { ChatError } from "../protocol/errors.ts";

export type HeaderFields = Record<string, string>;

/** Headers of every answer, made once; a request adds its own to a copy. */
export const EVERY_ANSWER: Readonly<HeaderFields> = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "private, no-store",
  vary: "Origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
};
const STRICT_TRANSPORT = "max-age=63072000; includeSubDomains";
const EXPOSED = "RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";
const PREFLIGHT_SECONDS = "600";

/** Makes the headers of answers for one deployment. */
export interface AnswerHeaders {
  for(origin: string | null, requestId: string): HeaderFields;
  isAllowed(origin: string | null): boolean;
}

/** The headers of one deployment: whose pages may read its answers, and what every answer carries. */
export function createAnswerHeaders(settings: Settings): AnswerHeaders {
  const base = settings.PUBLIC_URL.startsWith("https:")
    ? { ...EVERY_ANSWER, "strict-transport-security": STRICT_TRANSPORT }
    : EVERY_ANSWER;
  const decided = new BoundedMap<string, boolean>(100);
  const isAllowed = (origin: string | null): boolean => {
    if (origin === null) return true;
    const known = decided.get(origin);
    if (known !== undefined) return known;
    const allowed = isAllowedOrigin(settings, origin);
    decided.set(origin, allowed);
    return allowed;
  };
  return {
    isAllowed,
    for(origin, requestId) {
      const headers: HeaderFields = { ...base, "x-request-id": requestId };
      if (origin === null || !isAllowed(origin)) return headers;
      headers["access-control-allow-origin"] = origin;
      headers["access-control-expose-headers"] = EXPOSED;
      return headers;
    },
  };
}

/** An answer of JSON. */
export function jsonAnswer(status: number, body: unknown, headers: HeaderFields): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

/** The answer for an error that a route met. */
export function problemAnswer(error: ChatError, requestId: string, headers: HeaderFields): Response {
  const body = problemOf(error, requestId);
  const { status } = body;
  headers["content-type"] = "application/problem+json; charset=utf-8";
  if (status === 401) headers["www-authenticate"] = error.code === "invalid_api_key" ? "ApiKey" : "Bearer";
  if (status === 426) headers["upgrade"] = "websocket";
  if (status === 426) headers["connection"] = "Upgrade";
  if (error.retryAfterMs !== undefined) headers["retry-after"] = String(Math.ceil(error.retryAfterMs / 1_000));
  else if (status === 503) headers["retry-after"] = "5";
  return jsonAnswer(status, body, headers);
}

/** Answers an OPTIONS request: a browser's preflight from an allowed origin, or who asks what a path takes. */
export function optionsAnswer(request: Request, allow: string, headers: HeaderFields): Response {
  delete headers["content-type"];
  headers["allow"] = allow;
  if (request.headers.has("access-control-request-method")) {
    headers["vary"] = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    if (headers["access-control-allow-origin"] !== undefined) {
      headers["access-control-allow-methods"] = allow;
      headers["access-control-allow-headers"] = "Authorization, Content-Type";
      headers["access-control-max-age"] = PREFLIGHT_SECONDS;
    }
  }
  return new Response(null, { status: 204, headers });
}

/** What is left of a budget, as the IETF draft on RateLimit header fields writes it. */
export function addLimitHeaders(headers: HeaderFields, policy: LimitPolicyName, answer: LimitAnswer): void {
  headers["ratelimit-policy"] = `"${policy}";q=${answer.limit};w=${answer.windowSeconds}`;
  headers["ratelimit"] =
    `"${policy}";r=${Math.max(0, answer.remaining)};t=${Math.max(0, Math.ceil(answer.resetSeconds))}`;
}
