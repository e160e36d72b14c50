import type { ChatTokens, GetToken } from "../../client/types.ts";
import { clerkSession } from "./clerk.ts";
import { RequestError } from "./request.ts";
import { type ExchangedTokens, exchange, localSession, type SignIn } from "./sign-in.ts";

const KEY = "parley.session";
// Tokens that are about to end would be refused before the page could use them.
const MARGIN_MS = 10_000;

/** Who is signed in here, and how new chat tokens are got for them. */
export interface Session {
  name: string;
  userId: string;
  signIn: SignIn;
  /** The newest tokens, and when they end by this device's clock. */
  tokens: ExchangedTokens;
  endsAt: number;
}

/** The session of this tab, while its tokens live. Another tab may be somebody else. */
export function storedSession(): Session | undefined {
  const text = sessionStorage.getItem(KEY);
  if (text === null) return undefined;
  const session = JSON.parse(text) as Session; // only this file writes it
  return session.endsAt - MARGIN_MS > Date.now() ? session : undefined;
}

/** Signs out, as far as this browser is concerned. */
export function forgetSession(): void {
  sessionStorage.removeItem(KEY);
}

/** @throws {RequestError} */
export async function openSession(signIn: SignIn, name: string): Promise<Session> {
  const tokens = await fetchTokens(signIn, name);
  return keep({ name, userId: tokens.userId, signIn, tokens, endsAt: endOf(tokens) });
}

/**
 * Gives the client its tokens: first those of the session, because a reload must not spend one of the ten exchanges
 * there are in 15 minutes, and from then on new ones.
 */
export function tokensOf(session: Session): GetToken {
  let kept: ChatTokens | undefined = { ...session.tokens, expiresIn: (session.endsAt - Date.now()) / 1_000 };
  return async ({ signal }) => {
    const first = kept;
    kept = undefined;
    if (first !== undefined) return first;
    const tokens = await fetchTokens(session.signIn, session.name, signal);
    // Signed out and in again at the identity provider, in another tab: this one is still the first person's.
    if (tokens.userId !== session.userId) throw new RequestError("Somebody else has signed in.", { status: 401 });
    keep({ ...session, tokens, endsAt: endOf(tokens) });
    return tokens;
  };
}

async function fetchTokens(signIn: SignIn, name: string, signal?: AbortSignal): Promise<ExchangedTokens> {
  switch (signIn.provider) {
    case "local":
      return exchange(await localSession(signIn.issuer, name, signal), signal);
    case "clerk":
      return exchange(await clerkSession(signIn), signal);
    case "oidc":
    case "none":
      throw new Error("This page cannot sign anybody in here.");
  }
}

function keep(session: Session): Session {
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}

function endOf({ expiresIn }: ExchangedTokens): number {
  return Date.now() + expiresIn * 1_000;
}
