import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Page, Route } from "playwright-core";
import { createSigningKey, KeyServer, type SigningKey, signWith } from "../support/key-server.ts";

const HOST = "clerk.parley.test";
const ACCOUNTS = "https://accounts.parley.test";
const SCRIPT = "/npm/@clerk/clerk-js@5/dist/clerk.headless.browser.js";
/** Clerk's tokens live for a minute. */
const LIFE_SECONDS = 60;

interface Person {
  id: string;
  fullName: string;
}

/** One browser at Clerk: who is signed in there, and what it has asked for. */
export interface ClerkBrowser {
  person: Person | undefined;
  sessionId: string;
  /** How old the token is that the script finds at the start. */
  firstTokenAgeSeconds: number;
  /** How many tokens the script has asked for after the first. */
  tokensAsked: number;
  /** What the answer to a sign-out waits for. */
  beforeSignOut: Promise<void>;
  /** "hangs" takes requests and never answers them. */
  network: "works" | "refuses" | "hangs";
}

/**
 * Clerk, as a page and a deployment meet it: its script, Frontend API and sign-in page, answered in the browser where they
 * would be, and the key set of its tokens at a real address. The tokens are signed as Clerk's are, with their claims.
 */
export class ClerkStandIn {
  readonly issuer = `https://${HOST}`;
  readonly publishableKey = `pk_test_${Buffer.from(`${HOST}$`).toString("base64")}`;
  readonly #key: SigningKey;
  readonly #keys: KeyServer;
  readonly #script: string;

  private constructor(key: SigningKey, keys: KeyServer, script: string) {
    this.#key = key;
    this.#keys = keys;
    this.#script = script;
  }

  static async start(): Promise<ClerkStandIn> {
    const key = await createSigningKey("ins_parley");
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL("clerk-browser.ts", import.meta.url))],
      bundle: true,
      write: false,
      format: "iife",
    });
    return new ClerkStandIn(key, await KeyServer.start(key), outputFiles[0]?.text ?? "");
  }

  get keySetUrl(): string {
    return `${this.#keys.url}/.well-known/jwks.json`;
  }

  stop(): Promise<void> {
    return this.#keys.stop();
  }

  /** Stands between a page and Clerk's hosts. */
  async meet(page: Page, person?: Person): Promise<ClerkBrowser> {
    const browser: ClerkBrowser = {
      person,
      sessionId: `sess_${randomUUID()}`,
      firstTokenAgeSeconds: 0,
      tokensAsked: 0,
      beforeSignOut: Promise.resolve(),
      network: "works",
    };
    await page.route(`https://${HOST}/**`, (route) => this.#frontendApi(route, browser));
    await page.route(`${ACCOUNTS}/**`, (route) => signInPage(route, browser));
    return browser;
  }

  async #frontendApi(route: Route, browser: ClerkBrowser): Promise<void> {
    if (browser.network === "hangs") return;
    if (browser.network === "refuses") return route.abort("connectionrefused");
    const request = route.request();
    const { pathname, search } = new URL(request.url());
    const origin = (await request.headerValue("origin")) ?? "";
    const headers = { "access-control-allow-origin": origin, "access-control-allow-credentials": "true" };
    const { person, sessionId } = browser;
    switch (`${request.method()} ${pathname}${search}`) {
      case `GET ${SCRIPT}`:
        return route.fulfill({ headers, contentType: "application/javascript", body: this.#script });
      case "GET /v1/client": {
        const jwt = person && (await this.#sign(person, origin, browser, browser.firstTokenAgeSeconds));
        const user = person && { ...person, username: null };
        const sessions = person ? [{ id: sessionId, user, last_active_token: { jwt } }] : [];
        return route.fulfill({ headers, json: { response: { sessions } } });
      }
      case `POST /v1/client/sessions/${sessionId}/tokens`:
        browser.tokensAsked += 1;
        if (person === undefined) return route.fulfill({ headers, status: 401, json: { errors: [] } });
        return route.fulfill({ headers, json: { jwt: await this.#sign(person, origin, browser) } });
      case "POST /v1/client?_method=DELETE":
        await browser.beforeSignOut;
        browser.person = undefined;
        return route.fulfill({ headers, json: { response: null } });
      default:
        return route.fulfill({ headers, status: 404, json: { errors: [] } });
    }
  }

  /** With the claims of Clerk's tokens, and the name that an instance can add to them. */
  #sign({ id, fullName }: Person, origin: string, { sessionId }: ClerkBrowser, ageSeconds = 0): Promise<string> {
    const iat = Math.floor(Date.now() / 1_000) - ageSeconds;
    return signWith(this.#key, {
      iss: this.issuer,
      sub: id,
      sid: sessionId,
      azp: origin,
      iat,
      nbf: iat - 10,
      exp: iat + LIFE_SECONDS,
      fva: [0, -1],
      sts: "active",
      v: 2,
      name: fullName,
    });
  }
}

/** Clerk's own page, where one becomes Grace. */
async function signInPage(route: Route, browser: ClerkBrowser): Promise<void> {
  const { pathname, searchParams } = new URL(route.request().url());
  const back = searchParams.get("redirect_url") ?? "";
  const isDone = pathname === "/signed-in";
  if (isDone) browser.person = { id: "user_2grace", fullName: "Grace Hopper" };
  const next = `/signed-in?redirect_url=${encodeURIComponent(back)}`;
  const body = isDone
    ? `<script>location.replace(${JSON.stringify(back)})</script>`
    : `<a href="${next}">Continue as Grace</a>`;
  await route.fulfill({ contentType: "text/html", body: `<!doctype html><title>Sign in</title>${body}` });
}
