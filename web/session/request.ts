const TIME_LIMIT_MS = 10_000;

interface RequestErrorDetails {
  code?: string;
  status?: number | undefined;
  retryAfterMs?: number | undefined;
}

/**
 * A request that did not bring what was asked for. `code` is the server's, or `unreachable`. The client reads the other
 * two: after a `status` of 401 or 403 it asks for no more tokens, and after `retryAfterMs` not too early.
 */
export class RequestError extends Error {
  readonly code: string;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  constructor(message: string, { code = "unreachable", status, retryAfterMs }: RequestErrorDetails = {}) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

interface RequestOptions {
  method?: "GET" | "POST";
  token?: string;
  body?: unknown;
  signal?: AbortSignal;
}

/**
 * Asks an address for JSON.
 *
 * @throws {RequestError} with words for people
 */
export async function request(url: string, options: RequestOptions = {}): Promise<unknown> {
  const { response, reply } = await ask(url, options);
  if (response.ok && reply !== undefined) return reply;
  throw problemIn(response, reply);
}

/** Asks an address for JSON, and takes an answer that says no as an answer too. */
export async function ask(
  url: string,
  { method = "GET", token, body, signal }: RequestOptions = {},
): Promise<{ response: Response; reply: unknown }> {
  const headers = new Headers();
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  const limit = AbortSignal.timeout(TIME_LIMIT_MS);
  try {
    const response = await fetch(url, {
      method,
      headers,
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const reply: unknown = await response.json().catch(() => undefined);
    return { response, reply };
  } catch (cause) {
    const { host } = new URL(url, location.href);
    throw Object.assign(new RequestError(`The server at ${host} cannot be reached.`), { cause });
  }
}

function problemIn(response: Response, reply: unknown): RequestError {
  const { status } = response;
  const code = fieldOf(reply, "code") ?? "unreachable";
  const seconds = Number(response.headers.get("retry-after"));
  const details = { code, status, retryAfterMs: seconds > 0 ? seconds * 1_000 : undefined };
  if (code === "rate_limited") return new RequestError(`Too many requests. ${waitFor(seconds)}`, details);
  return new RequestError(fieldOf(reply, "detail") ?? `The server answered ${status}.`, details);
}

/** A text of an answer, when there is one of that name. */
export function fieldOf(reply: unknown, name: string): string | undefined {
  if (typeof reply !== "object" || reply === null) return undefined;
  const value = (reply as Record<string, unknown>)[name]; // an object, as checked above
  return typeof value === "string" ? value : undefined;
}

function waitFor(seconds: number): string {
  if (!(seconds > 0)) return "Try again in a while.";
  return seconds > 90
    ? `Try again in ${Math.ceil(seconds / 60)} minutes.`
    : `Try again in ${Math.ceil(seconds)} seconds.`;
}
