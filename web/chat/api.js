const TIME_LIMIT_MS = 10_000;

/** A request that did not bring what was asked for. `code` is the server's, or `unreachable`. */
export class ApiError extends Error {
  constructor(message, { code = "unreachable", retryAfterMs } = {}) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Asks an address for JSON. */
export async function request(url, { method = "GET", token, body } = {}) {
  const headers = new Headers();
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  let response;
  let reply;
  try {
    const signal = AbortSignal.timeout(TIME_LIMIT_MS);
    response = await fetch(url, { method, headers, signal, ...(body !== undefined && { body: JSON.stringify(body) }) });
    reply = await response.json().catch(() => undefined);
  } catch {
    throw new ApiError(`The server at ${new URL(url, location.href).host} cannot be reached.`);
  }
  if (response.ok && reply !== undefined) return reply;
  throw problem(response, reply);
}

function problem(response, reply) {
  const code = reply?.code ?? "unreachable";
  const seconds = Number(response.headers.get("retry-after"));
  const retryAfterMs = seconds > 0 ? seconds * 1_000 : undefined;
  if (code === "rate_limited") return new ApiError(`Too many requests. ${wait(seconds)}`, { code, retryAfterMs });
  return new ApiError(reply?.detail ?? `The server answered ${response.status}.`, { code, retryAfterMs });
}

function wait(seconds) {
  if (!(seconds > 0)) return "Try again in a while.";
  return seconds > 90
    ? `Try again in ${Math.ceil(seconds / 60)} minutes.`
    : `Try again in ${Math.ceil(seconds)} seconds.`;
}
