import { displayName, parseImageUrl } from "../protocol/content.ts";
import { ChatError } from "../protocol/errors.ts";
import type { MintRequest, TokenReply, User } from "../protocol/http.ts";
import type { AppId } from "../protocol/ids.ts";
import type { KeyCaller, SessionCaller } from "./callers.ts";
import type { Deps } from "./deps.ts";
import type { UserChange } from "./ports/users.ts";

type IssueDeps = Pick<Deps, "settings" | "store" | "driver" | "now" | "waitUntil" | "log" | "savedUsers">;

const SAVED_MS = 10 * 60_000;

/**
 * Swaps a verified session for chat tokens. The user is saved after the answer: nothing on the way to it waits for a store.
 *
 * @throws {ChatError} `driver_unavailable` when the driver cannot issue
 */
export async function exchangeSession(deps: IssueDeps, caller: SessionCaller, startedAt: number): Promise<TokenReply> {
  const { userId, name, image } = caller;
  const reply = await issue(deps, caller.app, { id: userId, name: name ?? userId, image: image ?? null }, startedAt);
  saveLater(deps, caller.app, { id: userId, name, image });
  return reply;
}

/**
 * Makes tokens for a user whom the app's own server vouches for. The user is saved first, by id: the same id is the same
 * user, and fields left out stay as they were. `custom` is kept and shown, and decides nothing.
 *
 * @throws {ChatError} `bad_url`, `bad_request` for a longer life than the deployment allows, `storage_unavailable`
 */
export async function mintTokens(
  deps: IssueDeps,
  caller: KeyCaller,
  request: MintRequest,
  startedAt: number,
): Promise<TokenReply> {
  const longest = deps.settings.TOKEN_TTL_SECONDS;
  if (request.expiresIn !== undefined && request.expiresIn > longest)
    throw new ChatError("bad_request", { detail: `Cannot read "expiresIn": must be at most ${longest}` });
  const { id, name, image } = await deps.store.upsertUser(caller.app, {
    id: request.userId,
    name: request.name === undefined ? undefined : displayName(request.name, request.userId),
    image: request.image === undefined ? undefined : parseImageUrl(request.image),
    custom: request.custom,
  });
  return issue(deps, caller.app, { id, name, image }, startedAt, request.expiresIn);
}

async function issue(
  deps: IssueDeps,
  app: AppId,
  user: User,
  startedAt: number,
  expiresIn = deps.settings.TOKEN_TTL_SECONDS,
): Promise<TokenReply> {
  // Whole seconds, as in the tokens, so that the answer says exactly what they say. Those of when the request came: a
  // revocation that it did not see yet begins after them.
  const issuedAt = Math.floor(startedAt / 1_000) * 1_000;
  const expiresAt = issuedAt + expiresIn * 1_000;
  const { token, wsToken, wsUrl, apiKey } = await deps.driver.issueTokens({
    userId: user.id,
    app,
    name: user.name,
    issuedAt,
    expiresAt,
  });
  return {
    token,
    wsToken,
    userId: user.id,
    user_id: user.id,
    user,
    expiresIn,
    expiresAt: new Date(expiresAt).toISOString(),
    ...(apiKey !== undefined && { apiKey }),
    wsUrl,
  };
}

function saveLater(deps: IssueDeps, app: AppId, user: UserChange): void {
  const who = `${app}:${user.id}`;
  const what = `${user.name ?? ""}\n${user.image ?? ""}`;
  const saved = deps.savedUsers.get(who);
  if (saved !== undefined && saved.what === what && saved.until > deps.now()) return;
  deps.savedUsers.set(who, { what, until: deps.now() + SAVED_MS });
  deps.waitUntil(save(deps, app, user, who));
}

async function save(deps: IssueDeps, app: AppId, user: UserChange, who: string): Promise<void> {
  try {
    await deps.store.upsertUser(app, user);
  } catch {
    deps.savedUsers.delete(who);
    deps.log({ event: "problem", part: "store", reason: "a user could not be saved after an exchange" });
  }
}
