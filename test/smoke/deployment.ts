import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { RoomServer } from "./room-server.ts";

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}
interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: Record<string, unknown>;
}

/** How a deployment is broken: each function gets what would have been said and returns what is said instead. */
export interface Bend {
  http?: (asked: Asked, reply: Reply) => Reply | Promise<Reply>;
  frame?: (frame: { type: string; [name: string]: unknown }, to: string) => { type: string } | undefined;
  closeCode?: (code: number) => number;
  /** The status an upgrade is refused with. */
  upgrade?: (request: IncomingMessage) => number | undefined;
  /** A message sent again is delivered again. */
  repeats?: boolean;
}

/** Who holds each token that was issued. */
export type TokenBook = Map<string, { kind: "session" | "rest" | "ws"; userId: string; name: string }>;

export const API_KEY = "chatsdk_test_abcdefghijkl_0123456789012345678901234567890123456789012";
const RATE = { "ratelimit-policy": '"token";q=10;w=900', ratelimit: '"token";r=9;t=900' };
const PAGE_POLICY =
  "default-src 'self'; connect-src 'self' ws: wss: http://127.0.0.1:*; frame-ancestors 'none'; base-uri 'none'";
const TYPES: Record<string, string> = {
  html: "text/html",
  css: "text/css",
  js: "text/javascript",
  svg: "image/svg+xml",
};

/** A deployment in this process that answers as documented, unless `bend` breaks it. For the smoke test's own tests. */
export async function openDeployment(bend: Bend = {}) {
  const tokens: TokenBook = new Map();
  const rooms = new RoomServer(tokens, bend);
  const state = { tokens, rooms, url: "", channels: new Map<string, string>() };
  const server = createServer((request, response) => {
    void respond(request).then(({ status, headers, body }) => {
      response.writeHead(status, headers);
      response.end(typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body));
    });
  });
  const respond = async (request: IncomingMessage): Promise<Reply> => {
    const url = new URL(request.url ?? "/", "http://x");
    const sent = await text(request);
    const body = sent === "" ? {} : (JSON.parse(sent) as Asked["body"]);
    const asked = {
      method: request.method ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
    };
    const { status, headers, body: said } = await answer(asked, state);
    const type = status >= 400 ? "application/problem+json" : "application/json";
    const reply = {
      status,
      body: said,
      headers: { "content-type": type, "x-content-type-options": "nosniff", "cache-control": "no-store", ...headers },
    };
    return bend.http === undefined ? reply : bend.http(asked, reply);
  };
  server.on("upgrade", (request, socket, head) => rooms.upgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: state.url,
    rooms,
    session: (userId: string, name = userId) => issue(tokens, "session", userId, name),
    async close() {
      rooms.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type Deployment = Awaited<ReturnType<typeof openDeployment>>;

interface State {
  tokens: TokenBook;
  rooms: RoomServer;
  url: string;
  channels: Map<string, string>;
}
type Said = Omit<Reply, "headers"> & { headers?: Record<string, string> };

const now = () => new Date().toISOString();
const OPEN: Record<string, (state: State) => unknown> = {
  "/healthz": () => ({ status: "ok" }),
  "/api/chat/health": () => ({
    status: "healthy",
    checks: [{ name: "postgres", status: "healthy", ms: 1 }],
    warnings: [],
    timestamp: now(),
  }),
  "/api/chat/test-connection": () => ({ ok: true, steps: [{ name: "postgres", ok: true, ms: 1 }], timestamp: now() }),
  "/v1/sign-in": ({ url }) => ({ provider: "local", issuer: `${url}/issuer` }),
  "/api/chats/openapi.json": () => ({ openapi: "3.1.0", paths: Object.fromEntries(PATHS.map((path) => [path, {}])) }),
};
const PATHS = [
  "/v1/token",
  "/stream/token",
  "/api/chat/token",
  "/v1/tokens",
  "/tokens",
  "/api/tokens",
  "/v1/channels",
  "/stream/channel",
  "/healthz",
  "/api/chat/health",
  "/v1/health",
  "/api/chat/test-connection",
  "/v1/test-connection",
];
const ALIASES: Record<string, string> = {
  "/v1/health": "/api/chat/health",
  "/v1/test-connection": "/api/chat/test-connection",
  "/stream/token": "/v1/token",
  "/api/chat/token": "/v1/token",
  "/tokens": "/v1/tokens",
  "/api/tokens": "/v1/tokens",
};

async function answer(asked: Asked, state: State): Promise<Said> {
  const path = ALIASES[asked.path] ?? asked.path;
  const open = OPEN[path];
  if (open !== undefined) return { status: 200, body: open(state) };
  if (asked.method === "OPTIONS") return { status: 204, body: "" };
  if (path === "/issuer/session")
    return {
      status: 200,
      body: { token: issue(state.tokens, "session", String(asked.body["user"]), String(asked.body["name"])) },
    };
  if (path === "/api/chats/docs")
    return { status: 200, headers: { "content-type": "text/html" }, body: '<script src="/docs/start.js"></script>' };
  if (path === "/v1/tokens") return mint(asked, state);
  if (path === "/v1/token" || path === "/v1/channels" || path === "/v1/presence" || path.endsWith("/messages"))
    return guarded(path, asked, state);
  return readPage(path);
}

function mint({ headers, body }: Asked, state: State): Said {
  if (headers["x-api-key"] !== API_KEY) return problem(401, "invalid_api_key");
  return { status: 200, headers: RATE, body: tokensOf(state, String(body["userId"]), String(body["name"])) };
}

function guarded(path: string, { method, headers, body, query }: Asked, state: State): Said {
  const token = headers.authorization?.slice(7);
  if (token === undefined) return problem(401, "token_missing");
  const holder = state.tokens.get(token);
  if (holder === undefined) return problem(401, "bad_signature");
  if (holder.kind === "ws") return problem(401, "wrong_token_kind");
  const { userId, name } = holder;
  if (path === "/v1/token" && method === "POST")
    return holder.kind === "session"
      ? { status: 200, headers: RATE, body: tokensOf(state, userId, name) }
      : problem(401, "wrong_token_kind");
  if (path === "/v1/token")
    return { status: 200, body: { userId, online: false, lastSeen: null, channels: 1, unread: 0 } };
  if (path === "/v1/presence") {
    const members = state.rooms.online(String(query.get("roomId")));
    return { status: 200, body: { roomId: query.get("roomId"), memberCount: members.length, members } };
  }
  return path === "/v1/channels"
    ? createChannel(String(body["channelId"]), userId, state)
    : readHistory(path, query, state);
}

function createChannel(id: string, userId: string, { channels }: State): Said {
  const owner = channels.get(id);
  if (owner !== undefined && owner !== userId) return problem(409, "channel_exists");
  channels.set(id, userId);
  const channel = {
    id,
    channelId: id,
    channel_id: id,
    name: id,
    channel_name: id,
    type: "messaging",
    createdBy: userId,
    createdAt: now(),
    seq: 0,
  };
  return { status: owner === undefined ? 201 : 200, body: channel };
}

function readHistory(path: string, query: URLSearchParams, { rooms }: State): Said {
  const all = rooms.messages.get(path.split("/")[3] ?? "") ?? [];
  const before = Number(query.get("before") ?? Infinity);
  const messages = all.filter(({ seq }) => seq < before).slice(-Number(query.get("limit") ?? 50));
  const prev = messages[0] !== undefined && messages[0].seq > 1 ? messages[0].seq : null;
  return { status: 200, body: { messages, next: null, prev } };
}

async function readPage(path: string): Promise<Said> {
  const name = path === "/" ? "index.html" : path.slice(1);
  const body = await readFile(new URL(`../../web/${name}`, import.meta.url)).catch(() => undefined);
  if (body === undefined || name.includes("..")) return problem(404, "not_found");
  const type = TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
  return { status: 200, headers: { "content-type": type, "content-security-policy": PAGE_POLICY }, body };
}

function problem(status: number, code: string): Said {
  return { status, body: { type: "about:blank", title: code, status, code, detail: code, requestId: "r1" } };
}

function tokensOf(state: State, userId: string, name: string) {
  const token = issue(state.tokens, "rest", userId, name);
  const wsToken = issue(state.tokens, "ws", userId, name);
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  const user = { id: userId, name, image: null };
  return {
    token,
    wsToken,
    userId,
    user_id: userId,
    user,
    expiresIn: 86_400,
    expiresAt,
    wsUrl: `${state.url.replace("http", "ws")}/ws`,
  };
}

let issued = 0;

/** A token that reads like a JWT and is known by heart instead of by signature. */
function issue(tokens: TokenBook, kind: "session" | "rest" | "ws", userId: string, name: string): string {
  const iat = Math.floor(Date.now() / 1_000);
  const header = { alg: "HS256", typ: kind === "session" ? "JWT" : `chat-${kind}+jwt` };
  const payload = { iss: "test", aud: `chat:${kind}`, sub: userId, iat, exp: iat + 86_400, jti: String(++issued) };
  const [first, second] = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  const token = `${first}.${second}.c2lnbmF0dXJl`;
  tokens.set(token, { kind, userId, name });
  return token;
}
