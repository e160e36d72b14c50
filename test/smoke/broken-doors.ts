import { onPaths, onRoute, withFields, withHeaders, without } from "./bends.ts";
import type { Bend } from "./deployment.ts";

const TOKEN_PATHS = ["/v1/token", "/v1/tokens", "/tokens"];
const MINT_PATHS = ["/v1/tokens", "/tokens"];
// How the claims of the smoke test's own forged tokens begin.
const FORGED = Buffer.from('{"iss":"https://smoke.invalid').toString("base64url").slice(0, 30);
const evil = withHeaders({ "access-control-allow-origin": "https://evil.example" });
const admitted = () => ({ status: 200, body: { channels: [], next: null } });

/** A deployment whose HTTP or doors are broken in one way, and exactly the checks that must say so. */
export const BROKEN_DOORS: [string, Bend, string[]][] = [
  ["is not alive", onPaths(["/healthz"], () => ({ status: 503 })), ["the service is alive"]],
  ["is something else", onPaths(["/healthz"], () => ({ body: "<h1>It works</h1>" })), ["the service is alive"]],
  ["is unhealthy", onPaths(["/api/chat/health"], () => ({ status: 503 })), ["the health report is good"]],
  [
    "says unhealthy with 200",
    onPaths(["/api/chat/health"], withFields({ status: "unhealthy" })),
    ["the health report is good"],
  ],
  [
    "has lost an alias of health",
    onPaths(["/v1/health"], () => ({ status: 404 })),
    ["the health report at its other address"],
  ],
  [
    "cannot reach its database",
    onPaths(["/api/chat/test-connection"], () => ({
      body: {
        ok: false,
        steps: [{ name: "postgres", ok: false, ms: 9, hint: "wake it" }],
        timestamp: "2026-11-21T08:00:00Z",
      },
    })),
    ["every part answers a real round trip"],
  ],
  [
    "documents no aliases",
    onPaths(["/api/chats/openapi.json"], withFields({ paths: { "/v1/token": {} } })),
    ["the OpenAPI document is there"],
  ],
  [
    "takes its docs from a CDN",
    onPaths(["/api/chats/docs"], () => ({ body: '<script src="https://cdn.example/swagger.js"></script>' })),
    ["the docs page comes whole from the deployment"],
  ],
  [
    "has a docs page without its scripts",
    onPaths(["/api/chats/docs"], () => ({ body: '<script src="/gone.js"></script>' })),
    ["the docs page comes whole from the deployment"],
  ],
  [
    "hides how to sign in",
    onPaths(["/v1/sign-in"], () => ({ status: 500 })),
    ["the deployment says how people sign in"],
  ],
  [
    "answers unknown addresses with a page",
    onPaths(["/v1/smoke-test-no-such-route"], () => ({ status: 200, body: "<h1>Hello</h1>" })),
    ["an unknown address is a problem document"],
  ],
  [
    "refuses a good session token",
    onRoute("POST", "/v1/token", ({ status }) => (status === 200 ? { status: 401 } : {})),
    ["a session token is exchanged for chat tokens"],
  ],
  [
    "gives an answer without wsToken",
    onRoute("POST", "/v1/token", ({ status }) => (status === 200 ? { body: { token: "x" } } : {})),
    ["a session token is exchanged for chat tokens"],
  ],
  [
    "mints for somebody else",
    onPaths(MINT_PATHS, ({ status, body }) =>
      status === 200 ? { body: Object.assign({}, body, { userId: "eve" }) } : {},
    ),
    ["an API key mints tokens for two users", "the two tokens are of two kinds and one user", ...afterTheTokens()],
  ],
  [
    "issues one token for both uses",
    onPaths(TOKEN_PATHS, ({ status, body }) =>
      status === 200 && body instanceof Object && "token" in body ? { body: { ...body, wsToken: body.token } } : {},
    ),
    [
      "the two tokens are of two kinds and one user",
      "HTTP refuses a socket token",
      "a socket opens and joins the room",
    ],
  ],
  [
    "echoes the token in the status",
    onRoute("GET", "/v1/token", ({ status }) =>
      status === 200
        ? {
            body: {
              userId: "smoke-alice",
              online: false,
              lastSeen: null,
              channels: 0,
              unread: 0,
              token: "eyJhbGciOi.x.y",
            },
          }
        : {},
    ),
    ["the chat token tells its user's status"],
  ],
  [
    "lets browsers guess types",
    onPaths(["/v1/health"], without("x-content-type-options")),
    ["API answers carry security headers"],
  ],
  ["lets health be cached", onPaths(["/v1/health"], without("cache-control")), ["API answers carry security headers"]],
  [
    "has a page without a policy",
    onPaths(["/"], without("content-security-policy")),
    ["the page carries security headers"],
  ],
  [
    "allows inline code",
    onPaths(
      ["/"],
      withHeaders({ "content-security-policy": "default-src 'self' 'unsafe-inline'; frame-ancestors 'none'" }),
    ),
    ["the page carries security headers"],
  ],
  ["lets any origin ask", onRoute("OPTIONS", "/v1/token", evil), ["a foreign origin gets no CORS leave to ask"]],
  ["lets any origin read", onPaths(["/v1/health"], evil), ["a foreign origin gets no CORS leave to read"]],
  ["does not limit tokens", onPaths(TOKEN_PATHS, without("ratelimit")), ["token answers say how many are left"]],
  ["lets tokens be cached", onPaths(TOKEN_PATHS, without("cache-control")), ["token answers are never cached"]],
  [
    "lists channels to anybody",
    {
      http: (asked, reply) =>
        asked.path === "/v1/channels" && asked.headers.authorization === undefined
          ? { ...reply, ...admitted() }
          : reply,
    },
    ["HTTP refuses a missing token"],
  ],
  [
    "does not verify signatures",
    onRoute("GET", "/v1/channels", ({ status, body }) =>
      status === 401 && JSON.stringify(body).includes("bad_signature") ? admitted() : {},
    ),
    ["HTTP refuses a token nobody signed", "HTTP refuses a token somebody else signed"],
  ],
  [
    "mints with any key",
    onPaths(["/api/tokens"], () => ({ status: 200 })),
    ["minting refuses a key that does not exist"],
  ],
  [
    "closes with another code",
    { closeCode: (code) => (code === 4500 ? 4005 : code) },
    ["a socket with an invalid token is closed with 4500"],
  ],
  [
    "refuses the upgrade of a bad token, which browsers cannot see",
    { upgrade: ({ headers }) => (headers["sec-websocket-protocol"]?.includes(FORGED) === true ? 401 : undefined) },
    ["a socket with an invalid token is closed with 4500", "a socket of a foreign origin is refused with 403"],
  ],
  [
    "takes sockets of any origin",
    { upgrade: ({ headers }) => void delete headers.origin },
    ["a socket of a foreign origin is refused with 403"],
  ],
  [
    "takes a socket token over HTTP",
    onRoute("GET", "/v1/channels", ({ body }) => (JSON.stringify(body).includes("wrong_token_kind") ? admitted() : {})),
    ["HTTP refuses a socket token"],
  ],
  ["does not tell the wrong kind", { closeCode: () => 4500 }, ["a socket with an HTTP token is closed with 4502"]],
];

function afterTheTokens(): string[] {
  return ["the chat token tells its user's status", "a socket opens and joins the room"];
}
