import type { ChatTokens } from "parley";

/**
 * Swaps a sign-in for chat tokens.
 *
 * @param session The session token of the identity provider, fresh: Clerk's live for a minute
 * @throws {Error} With `status`: 401 and 403 mean that there is no use in trying again. With `retryAfterMs` when the server
 *   said how long to wait
 */
export async function fetchTokens(apiUrl: string, session: string | null, signal: AbortSignal): Promise<ChatTokens> {
  if (session === null) throw Object.assign(new Error("Nobody is signed in"), { status: 401 });
  const headers = { Authorization: `Bearer ${session}` };
  const response = await fetch(`${apiUrl}/v1/token`, { method: "POST", headers, signal });
  if (response.ok) return (await response.json()) as ChatTokens; // its documented answer
  const { status } = response;
  const retryAfterMs = Number(response.headers.get("retry-after")) * 1_000;
  throw Object.assign(new Error(`No chat token: ${status}`), { status, ...(retryAfterMs > 0 && { retryAfterMs }) });
}
