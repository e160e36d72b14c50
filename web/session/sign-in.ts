import type { ChatTokens } from "../../client/types.ts";
import { fieldOf, request, RequestError } from "./request.ts";

/** How this deployment signs people in. */
export type SignIn =
  | { provider: "local"; issuer: string }
  | { provider: "clerk"; issuer: string; publishableKey: string }
  | { provider: "oidc"; issuer: string }
  | { provider: "none" };

/** @throws {RequestError} */
export async function findSignIn(): Promise<SignIn> {
  const reply = await request("/v1/sign-in");
  const [provider, issuer] = [fieldOf(reply, "provider"), fieldOf(reply, "issuer")];
  const publishableKey = fieldOf(reply, "publishableKey");
  if (issuer === undefined) return { provider: "none" };
  if (provider === "local") return { provider, issuer };
  if (provider === "clerk" && publishableKey !== undefined) return { provider, issuer, publishableKey };
  return { provider: "oidc", issuer };
}

/** A session token for whoever is named, from the local issuer. */
export async function localSession(issuer: string, name: string, signal?: AbortSignal): Promise<string> {
  const body = { user: userIdOf(name), name };
  const reply = await request(`${issuer}/session`, { method: "POST", body, ...(signal && { signal }) });
  const token = fieldOf(reply, "token");
  if (token === undefined) throw new RequestError("The identity provider's answer cannot be read.");
  return token;
}

/** Swaps a session token for chat tokens. */
export async function exchange(session: string, signal?: AbortSignal): Promise<ExchangedTokens> {
  const reply = await request("/v1/token", { method: "POST", token: session, ...(signal && { signal }) });
  if (fieldOf(reply, "apiKey") !== undefined)
    throw new RequestError("The chat of this deployment is at Stream, and this page is not.");
  const [token, wsToken, wsUrl] = [fieldOf(reply, "token"), fieldOf(reply, "wsToken"), fieldOf(reply, "wsUrl")];
  const userId = fieldOf(reply, "userId");
  const { expiresIn } = reply as { expiresIn?: unknown }; // fieldOf has seen that it is an object
  if (token === undefined || wsToken === undefined || userId === undefined || typeof expiresIn !== "number")
    throw new RequestError("The server's answer cannot be read.");
  return { token, wsToken, userId, expiresIn, ...(wsUrl !== undefined && { wsUrl }) };
}

export type ExchangedTokens = ChatTokens & { userId: string; expiresIn: number };

/** The user id of a name: "Zoë Ärlig" is "zoe-arlig", and letters without a Latin form keep a code of their own. */
export function userIdOf(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const coded = plain.replace(/[^\x00-\x7f]/gu, (letter) => `u${(letter.codePointAt(0) ?? 0).toString(36)}`);
  const id = coded.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  return id.slice(0, 64) || "somebody";
}
