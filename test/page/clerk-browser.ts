/**
 * Stands in for Clerk's script for browsers, the one without components: what Clerk's reference says of `window.Clerk`,
 * over its Frontend API, for which `ClerkStandIn` stands in.
 */
interface User {
  id: string;
  fullName: string;
  username: string | null;
}

interface SessionAnswer {
  id: string;
  user: User;
  last_active_token: { jwt: string };
}

const { clerkPublishableKey: publishableKey = "" } =
  document.querySelector<HTMLScriptElement>("script[data-clerk-publishable-key]")?.dataset ?? {};
const host = atob(publishableKey.replace(/^pk_(test|live)_/, "")).replace(/\$$/, "");

class Session {
  readonly id: string;
  readonly user: User;
  #jwt: string;

  constructor({ id, user, last_active_token: { jwt } }: SessionAnswer) {
    this.id = id;
    this.user = user;
    this.#jwt = jwt;
  }

  /** The same token until it has ended; null without a network. */
  async getToken({ skipCache = false } = {}): Promise<string | null> {
    if (!skipCache && endOf(this.#jwt) > Date.now()) return this.#jwt;
    const answer = await ask("POST", `/v1/client/sessions/${this.id}/tokens`).catch(() => undefined);
    if (answer === undefined) return null;
    if (answer.status === 401) clerk.become(null);
    if (!answer.ok) throw Object.assign(new Error("ClerkAPIResponseError"), { status: answer.status });
    this.#jwt = ((await answer.json()) as { jwt: string }).jwt; // as ClerkStandIn answers
    return this.#jwt;
  }
}

class Clerk {
  readonly publishableKey = publishableKey;
  loaded = false;
  session: Session | null | undefined;
  readonly #listeners = new Set<(resources: { session: Clerk["session"]; user: Clerk["user"] }) => void>();

  get user(): User | null | undefined {
    return this.session && this.session.user;
  }

  async load(): Promise<void> {
    const { response } = (await (await ask("GET", "/v1/client")).json()) as { response: { sessions: SessionAnswer[] } };
    const [active] = response.sessions;
    this.loaded = true;
    this.become(active === undefined ? null : new Session(active));
  }

  addListener(listener: (resources: { session: Clerk["session"]; user: Clerk["user"] }) => void): () => void {
    this.#listeners.add(listener);
    if (this.loaded) listener(this);
    return () => void this.#listeners.delete(listener);
  }

  /** @param options Where to come back to. */
  async redirectToSignIn({ signInForceRedirectUrl = location.href } = {}): Promise<void> {
    const url = new URL(`https://${host.replace(/^clerk\./, "accounts.")}/sign-in`);
    url.searchParams.set("redirect_url", signInForceRedirectUrl);
    location.href = url.href;
  }

  async signOut({ redirectUrl = "/" } = {}): Promise<void> {
    const answer = await ask("POST", "/v1/client?_method=DELETE");
    if (!answer.ok) throw Object.assign(new Error("ClerkAPIResponseError"), { status: answer.status });
    this.become(null);
    location.href = redirectUrl;
  }

  openSignIn(): void {
    throw new Error("Clerk was loaded without components");
  }

  mountSignIn(): void {
    this.openSignIn();
  }

  become(session: Session | null): void {
    this.session = session;
    for (const listener of this.#listeners) listener(this);
  }
}

function ask(method: "GET" | "POST", path: string): Promise<Response> {
  return fetch(`https://${host}${path}`, { method, credentials: "include" });
}

function endOf(jwt: string): number {
  const [, claims = ""] = jwt.split(".");
  return Number(JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))).exp) * 1_000;
}

const clerk = new Clerk();
Object.assign(window, { Clerk: clerk });
