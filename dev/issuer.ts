import type { IncomingMessage } from "node:http";
import { importJWK, SignJWT } from "jose";
import * as z from "zod";
import { UserId } from "../protocol/ids.ts";
import { type IssuerKeys, openIssuerKeys } from "./issuer-keys.ts";
import { type JsonReply, listenForJson, readText } from "./listen.ts";
import { parseJson } from "./parse-json.ts";

const SESSION_TTL_SECONDS = 3_600;

const SessionRequest = z.strictObject({
  user: UserId,
  name: z.optional(z.string().min(1).max(200)),
  /** Negative and zero make a token that has expired already, which is worth having in a test. */
  ttlSeconds: z.optional(z.int().min(-86_400).max(31_536_000)),
  /** Added to the claims, over the usual ones; `null` takes a claim away. */
  claims: z.optional(z.record(z.string(), z.json())),
});
export type SessionRequest = z.input<typeof SessionRequest>;

export interface Issuer {
  url: string;
  /** Its `iss`: the same address, or another that leads to it. */
  name: string;
  keys: IssuerKeys;
  close(): Promise<void>;
}

export interface IssuerOptions {
  port?: number;
  dataDir?: string;
  pageOrigin: string;
  through?: ((url: string) => Promise<string>) | undefined;
}

/**
 * An identity provider for the local stack: OpenID discovery, a real RS256 key set that can rotate, and
 * `POST /session`, which signs a session token for whoever is named. Anyone who can reach it can be anyone, so it listens
 * on the loopback address only and a Worker trusts it only with `DEV_MODE=true`.
 *
 * @param dataDir Where the keys are kept; without it they are new at each start.
 * @param pageOrigin Goes into `azp`, as Clerk does it, and may call from a browser.
 * @param through Gives the address that others know it by, when that is not its own.
 */
export async function startIssuer(options: IssuerOptions): Promise<Issuer> {
  const keys = await openIssuerKeys(options.dataDir);
  const server = await listenForJson(options.port ?? 0, async (request) => {
    if (!mayCall(request, options.pageOrigin)) return { status: 403, body: { error: "Not from this origin" } };
    const reply = await route(request, { keys, issuer: name, pageOrigin: options.pageOrigin });
    return { ...reply, headers: { ...reply.headers, ...corsHeaders(request) } };
  });
  const name = (await options.through?.(server.url)) ?? server.url;
  return { url: server.url, name, keys, close: () => server.close() };
}

interface Context {
  keys: IssuerKeys;
  issuer: string;
  pageOrigin: string;
}

async function route(request: IncomingMessage, context: Context): Promise<JsonReply> {
  const { pathname, searchParams } = new URL(request.url ?? "/", context.issuer);
  switch (`${request.method} ${pathname}`) {
    case "GET /.well-known/openid-configuration":
      return { status: 200, body: discovery(context.issuer) };
    case "GET /.well-known/jwks.json":
      return { status: 200, body: { keys: context.keys.published() } };
    case "POST /session":
      return await session(request, context);
    case "POST /rotate":
      await context.keys.rotate({ drop: searchParams.get("drop") === "1" });
      return { status: 200, body: { kid: context.keys.current().kid } };
    default:
      if (request.method === "OPTIONS") return { status: 204, body: undefined };
      return { status: 404, body: { error: `There is nothing at ${request.method} ${pathname}` } };
  }
}

function discovery(issuer: string): Record<string, unknown> {
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    claims_supported: ["iss", "sub", "azp", "sid", "name", "iat", "nbf", "exp"],
  };
}

async function session(request: IncomingMessage, context: Context): Promise<JsonReply> {
  const parsed = SessionRequest.safeParse(parseJson(await readText(request, 32_768)));
  if (!parsed.success)
    return { status: 400, body: { error: `Cannot make a session: ${z.prettifyError(parsed.error)}` } };
  return { status: 200, body: { token: await signSession(context, parsed.data) } };
}

async function signSession(context: Context, { user, name, ttlSeconds, claims }: SessionRequest): Promise<string> {
  const { kid, jwk } = context.keys.current();
  const issuedAt = Math.floor(Date.now() / 1_000);
  const lifetime = ttlSeconds ?? SESSION_TTL_SECONDS;
  const all = {
    iss: context.issuer,
    sub: user,
    azp: context.pageOrigin,
    sid: `sess_${crypto.randomUUID()}`,
    name: name ?? user,
    iat: Math.min(issuedAt, issuedAt + lifetime),
    exp: issuedAt + lifetime,
    ...claims,
  };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  return await new SignJWT(kept)
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid })
    .sign(await importJWK(jwk, "RS256"));
}

/** Any page on this machine may sign in here, other sites may not. A browser names its origin in every POST. */
function mayCall({ headers: { origin } }: IncomingMessage, pageOrigin: string): boolean {
  return origin === undefined || origin === pageOrigin || isLoopback(origin);
}

function corsHeaders({ headers: { origin } }: IncomingMessage): Record<string, string> {
  return {
    vary: "origin",
    ...(origin !== undefined && { "access-control-allow-origin": origin }),
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "600",
  };
}

function isLoopback(origin: string): boolean {
  return URL.canParse(origin) && ["127.0.0.1", "localhost", "[::1]"].includes(new URL(origin).hostname);
}
