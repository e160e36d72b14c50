import { afterEach, describe, expect, it } from "vitest";
import { CHECKS } from "../../commands/smoke/all-checks.ts";
import { type CheckResult, runChecks } from "../../commands/smoke/runner.ts";
import { losing, onPaths, onRoute, saying, withFields, withHeaders, without } from "./bends.ts";
import { API_KEY, type Bend, type Deployment, openDeployment } from "./deployment.ts";

const TIME_LIMIT_MS = 1_000;
let deployment: Deployment | undefined;

afterEach(async () => {
  await deployment?.close();
  deployment = undefined;
});

async function smoke(bend: Bend): Promise<CheckResult[]> {
  deployment = await openDeployment(bend);
  const url = new URL(deployment.url);
  const options = {
    url,
    partyUrl: url,
    room: "smoke-test",
    timeoutMs: TIME_LIMIT_MS,
    junitFile: undefined,
    jsonFile: undefined,
  };
  const tokens = { sessionToken: deployment.session("carol"), apiKey: API_KEY };
  return runChecks(CHECKS, { ...options, ...tokens }, () => undefined);
}

const failed = (results: CheckResult[]) => results.filter(({ status }) => status === "failed").map(({ name }) => name);

const TOKEN_PATHS = ["/v1/token", "/v1/tokens", "/tokens"];
const MINT_PATHS = ["/v1/tokens", "/tokens"];
// How the claims of the smoke test's own forged tokens begin.
const FORGED = Buffer.from('{"iss":"https://smoke.invalid').toString("base64url").slice(0, 30);
const evil = withHeaders({ "access-control-allow-origin": "https://evil.example" });
const admitted = () => ({ status: 200, body: { channels: [], next: null } });

/** A deployment that is broken in one way, and exactly the checks that must say so. */
const BROKEN: [string, Bend, string[]][] = [
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
  [
    "creates no channels",
    onRoute("POST", "/v1/channels", ({ status }) => (status < 300 ? { status: 500 } : {})),
    ["the channel is created, or is there"],
  ],
  ["never welcomes", losing("welcome"), ["a socket opens and joins the room"]],
  ["welcomes somebody else", saying("welcome", { userId: "eve" }), ["a socket opens and joins the room"]],
  ["sends undocumented frames", saying("welcome", { limits: "none" }), ["a socket opens and joins the room"]],
  ["never joins", losing("room_joined"), ["a socket opens and joins the room"]],
  ["joins only one", losing("room_joined", (_, to) => to === "smoke-bob"), ["a second client joins"]],
  [
    "does not tell who comes",
    losing("presence", ({ status }) => status === "online"),
    ["the first sees the second come"],
  ],
  [
    "does not tell who goes",
    losing("presence", ({ status }) => status === "offline"),
    ["the first sees the second go"],
  ],
  ["has an empty roster", saying("room_joined", { members: [] }), ["the first sees the second come"]],
  [
    "has nobody online",
    onPaths(["/v1/presence"], withFields({ members: [] })),
    ["presence over HTTP names who is there"],
  ],
  ["loses typing", losing("typing_indicator"), ["the first sees the second type"]],
  [
    "never stops typing",
    losing("typing_indicator", ({ isTyping }) => isTyping === false),
    ["the first sees the second type"],
  ],
  ["does not ack", losing("ack"), ["a message is acked", "the room itself takes sockets and delivers"]],
  ["acks in another epoch", saying("ack", { epoch: "e2" }), ["a message is acked"]],
  [
    "acks and does not deliver",
    losing("message"),
    [
      "the second client receives it, once and as it was sent",
      "the same message again is acked and not repeated",
      "the room itself takes sockets and delivers",
    ],
  ],
  [
    "delivers something else",
    saying("message", { content: "BUY NOW" }),
    ["the second client receives it, once and as it was sent"],
  ],
  [
    "delivers under another name",
    saying("message", { userId: "eve" }),
    ["the second client receives it, once and as it was sent"],
  ],
  [
    "delivers at another place",
    saying("message", { seq: 999 }),
    ["the second client receives it, once and as it was sent"],
  ],
  ["delivers again", { repeats: true }, ["the same message again is acked and not repeated"]],
  ["calls a repeat new", saying("ack", { duplicate: false }), ["the same message again is acked and not repeated"]],
  ["is silent about refusals", losing("error"), ["a message that is too long is refused, the socket stays"]],
  [
    "refuses for another reason",
    saying("error", { code: "internal" }),
    ["a message that is too long is refused, the socket stays"],
  ],
  [
    "does not answer pings",
    losing("pong"),
    ["the same message again is acked and not repeated", "a message that is too long is refused, the socket stays"],
  ],
  [
    "forgets what was missed",
    saying("room_joined", { messages: [] }),
    ["a client that comes back gets what it missed"],
  ],
  [
    "starts over at each return",
    saying("room_joined", { recovered: false }),
    ["a client that comes back gets what it missed"],
  ],
  [
    "has no history",
    onPaths(["/v1/channels/smoke-test/messages"], ({ status }) =>
      status === 200 ? { body: { messages: [], next: null, prev: null } } : {},
    ),
    ["history holds the message, once"],
  ],
  [
    "has everything twice in history",
    onPaths(["/v1/channels/smoke-test/messages"], ({ status, body }) => (status === 200 ? { body: twice(body) } : {})),
    ["history holds the message, once"],
  ],
  [
    "shows history to anybody",
    onPaths(["/v1/channels/smoke-test/messages"], ({ status }) => (status === 401 ? { status: 200 } : {})),
    ["history needs a token"],
  ],
  [
    "loses the Authorization header of upgrades",
    { upgrade: ({ headers }) => void delete headers.authorization },
    ["a token in the Authorization header opens a socket"],
  ],
  [
    "takes no token in the address",
    { upgrade: ({ url }) => (url?.includes("token=") === true ? 400 : undefined) },
    ["a token in the address opens a socket"],
  ],
  [
    "takes no first frame",
    {
      upgrade: ({ url, headers }) =>
        headers["sec-websocket-protocol"] === "chat.v1" &&
        headers.authorization === undefined &&
        url?.includes("token=") !== true
          ? 400
          : undefined,
    },
    ["a token in the first frame opens a socket"],
  ],
  [
    "has no way to its rooms",
    { upgrade: ({ url }) => (url?.startsWith("/parties/") === true ? 404 : undefined) },
    ["the room itself takes sockets and delivers"],
  ],
];

function afterTheTokens(): string[] {
  return ["the chat token tells its user's status", "a socket opens and joins the room"];
}

function twice(page: unknown): unknown {
  const { messages } = page as { messages: unknown[] };
  return { messages: [...messages, ...messages], next: null, prev: null };
}

describe("the smoke test of a broken deployment", () => {
  it.each(BROKEN)("fails when it %s", async (_, bend, expected) => {
    expect(failed(await smoke(bend))).toEqual(expected);
  });

  it("has a broken deployment for every check", () => {
    const covered = new Set(BROKEN.flatMap(([, , names]) => names));
    expect(CHECKS.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });

  it("ends when a deployment takes every question and answers none", async () => {
    const startedAt = performance.now();
    const results = await smoke({ http: () => new Promise(() => undefined) });
    expect(failed(results)).toEqual(["the service is alive"]);
    expect(results.filter(({ status }) => status === "skipped")).toHaveLength(CHECKS.length - 1);
    expect(performance.now() - startedAt).toBeLessThan(10 * TIME_LIMIT_MS);
  });

  it("tells what was expected, what came and where to look, for every failure", async () => {
    const [result] = (await smoke(losing("ack"))).filter(({ status }) => status === "failed");
    expect(result).toMatchObject({
      name: "a message is acked",
      expected: 'a "ack" frame that fits',
      came: expect.stringContaining("message"),
      hint: expect.stringContaining("rooms' log"),
    });
  });

  it("never repeats a secret that a deployment says back", async () => {
    const echo: Bend = {
      http: ({ headers, path }, reply) =>
        path === "/v1/token"
          ? { ...reply, status: 418, body: { echo: headers.authorization ?? "", key: API_KEY } }
          : reply,
    };
    const text = JSON.stringify(await smoke(echo));
    expect(text).toContain("[secret]");
    expect(text).not.toContain("eyJ");
    expect(text).not.toContain(API_KEY);
  });
});
