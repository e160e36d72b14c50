import { verifyApiKey } from "../domain/api-keys.ts";
import type { Caller, KeyCaller, SessionCaller, TokenCaller } from "../domain/callers.ts";
import { claimedKind, verifyChatToken } from "../domain/chat-tokens.ts";
import { readCompactJwt } from "../domain/compact-jwt.ts";
import type { Deps } from "../domain/deps.ts";
import type { KeyGuard } from "../domain/key-guard.ts";
import { verifySession } from "../domain/session-verifier.ts";
import { readBearer } from "../domain/socket-auth.ts";
import { ChatError } from "../protocol/errors.ts";
import type { Credential } from "./route.ts";

const SECRET_PARAMETER = /(?:^|&)(token|access_token|id_token|jwt|authorization|api_?key|x-api-key)(?:=|&|$)/i;

/**
 * Who calls, by the one credential the request brings.
 *
 * @throws {ChatError} the codes of the verifiers, `token_missing`, `key_in_browser`, `rate_limited` for guessed keys
 */
export async function authenticate(
  deps: Deps,
  guard: KeyGuard,
  accepted: readonly Credential[],
  request: { headers: Headers; query: string; address: string },
): Promise<Caller> {
  if (request.query !== "" && SECRET_PARAMETER.test(request.query))
    throw new ChatError("token_missing", { detail: "Credentials are taken from headers only, never from the address" });
  const key = request.headers.get("x-api-key");
  if (key !== null && accepted.includes("key")) return authenticateKey(deps, guard, key, request);
  const isOnlyKey = accepted.length === 1 && accepted[0] === "key";
  if (isOnlyKey) throw new ChatError("invalid_api_key", { detail: "Send the API key as X-API-Key" });
  const token = requireBearer(request.headers.get("authorization"));
  if (!accepted.includes("token")) return authenticateSession(deps, token);
  if (!accepted.includes("session")) return authenticateToken(deps, token);
  const isChatToken = claimedKind(readCompactJwt(token).header) !== undefined;
  return isChatToken ? authenticateToken(deps, token) : authenticateSession(deps, token);
}

async function authenticateSession(deps: Deps, token: string): Promise<SessionCaller> {
  const { userId, name, image, issuedAt } = await verifySession(deps.sessions, token);
  return { by: "session", app: deps.settings.APP_ID, userId, name, image, issuedAt };
}

async function authenticateToken(deps: Deps, token: string): Promise<TokenCaller> {
  const { userId, app, name, issuedAt } = await verifyChatToken(deps.tokenKeys, "rest", token, deps.now());
  return { by: "token", app, userId, name, issuedAt };
}

async function authenticateKey(
  deps: Deps,
  guard: KeyGuard,
  raw: string,
  { headers, address }: { headers: Headers; address: string },
): Promise<KeyCaller> {
  if (headers.has("origin")) throw new ChatError("key_in_browser");
  const { app, keyId } = await guard.watch(address, () => verifyApiKey(deps.apiKeys, raw));
  return { by: "key", app, keyId };
}

function requireBearer(header: string | null): string {
  const token = readBearer(header);
  if (token === undefined) throw new ChatError("token_missing", { detail: "Send Authorization: Bearer <token>" });
  return token;
}
