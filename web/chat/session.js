import { ApiError, request } from "./api.js";

const KEY = "parley.session";
// A token that is about to expire would be refused before the page could use it.
const MARGIN_MS = 10_000;

/** The chat tokens of this tab, while they live: a reload must not spend one of the ten exchanges in 15 minutes. */
export function storedSession() {
  const session = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  return session !== null && session.expiresAt - MARGIN_MS > Date.now() ? session : undefined;
}

export function forgetSession() {
  sessionStorage.removeItem(KEY);
}

/** How this deployment signs people in: `{provider, issuer}`. */
export function findSignIn() {
  return request("/v1/sign-in");
}

/** Signs in at the local issuer and swaps the session for chat tokens. */
export async function signIn(name) {
  const { provider, issuer } = await findSignIn();
  if (provider !== "local") throw new ApiError("This page cannot sign you in here.", { code: "forbidden" });
  const { token } = await request(`${issuer}/session`, { method: "POST", body: { user: userIdOf(name), name } });
  const reply = await request("/v1/token", { method: "POST", token });
  if (reply.apiKey !== undefined) throw new ApiError("The chat of this deployment is at Stream, and this page is not.");
  const { token: restToken, wsToken, wsUrl, userId } = reply;
  // Counted from the answer, so a wrong clock on this machine does not matter.
  const session = { name, userId, restToken, wsToken, wsUrl, expiresAt: Date.now() + reply.expiresIn * 1_000 };
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}

/** The user id of a name: "Zoë Ärlig" is "zoe-arlig", and letters without a Latin form keep a code of their own. */
export function userIdOf(name) {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const coded = plain.replace(/[^\x00-\x7f]/gu, (letter) => `u${letter.codePointAt(0).toString(36)}`);
  return (
    coded
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 64) || "somebody"
  );
}
