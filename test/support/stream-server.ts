import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { jwtVerify } from "jose";

export interface StreamRequest {
  method: string;
  path: string;
  /** Of a GET, what its `payload` holds. */
  body: Record<string, unknown>;
}
interface Kept {
  type: string;
  id: string;
  data: Record<string, unknown>;
  members: string[];
  createdBy: string;
}

interface StreamUser {
  id: string;
  role: string;
  deactivated?: boolean;
  [field: string]: unknown;
}

const USERS_MAX = 100;
const QUERY_DEFAULT = 30;

/**
 * A server that checks of a request what Stream's public documentation says Stream checks: the app's `api_key` in the
 * query, `Stream-Auth-Type: jwt`, an HS256 token of the API secret without `Bearer` before it that names no user, users
 * that exist before a channel names them, a creator for each channel made by a server. Users that are sent replace what
 * there was of them, 100 at most; without a role they get `user`.
 */
export class StreamServer {
  readonly requests: StreamRequest[] = [];
  readonly users = new Map<string, StreamUser>();
  readonly channels = new Map<string, Kept>();
  /** Set to make the next requests fail or hang. */
  misbehave: ((response: ServerResponse) => void) | undefined;
  /** Set to keep requests waiting until it is done. */
  hold: ((path: string) => Promise<void>) | undefined;
  readonly #server: Server;
  readonly #app: { apiKey: string; secret: string; now: () => number };

  private constructor(server: Server, app: { apiKey: string; secret: string; now: () => number }) {
    this.#server = server;
    this.#app = app;
  }

  static async start(app: { apiKey: string; secret: string; now: () => number }): Promise<StreamServer> {
    const server = createServer((request, response) => void stream.#serve(request, response));
    const stream = new StreamServer(server, app);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return stream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.misbehave !== undefined) return this.misbehave(response);
    const url = new URL(request.url ?? "/", this.url);
    const answer = (status: number, body: unknown): void =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    try {
      await this.#authenticate(request, url);
    } catch (error) {
      return answer(401, { code: 5, message: String(error) });
    }
    const { method = "GET" } = request;
    const sent = method === "GET" ? (url.searchParams.get("payload") ?? "{}") : await readAll(request);
    const body = JSON.parse(sent) as Record<string, unknown>;
    this.requests.push({ method, path: url.pathname, body });
    const [status, reply] = this.#route(`${method} ${url.pathname}`, body);
    await this.hold?.(url.pathname);
    answer(status, reply);
  }

  async #authenticate({ headers }: IncomingMessage, url: URL): Promise<void> {
    const { apiKey, secret, now } = this.#app;
    if (url.searchParams.get("api_key") !== apiKey) throw new Error("api_key is missing or unknown");
    if (headers["stream-auth-type"] !== "jwt") throw new Error("Stream-Auth-Type must be jwt");
    const options = { algorithms: ["HS256"], currentDate: new Date(now()) };
    const { payload } = await jwtVerify(headers.authorization ?? "", new TextEncoder().encode(secret), options);
    if ("user_id" in payload) throw new Error("a server token names no user");
  }

  #route(request: string, body: Record<string, unknown>): [number, unknown] {
    if (request === "GET /users") return this.#queryUsers(body);
    if (request === "POST /users") return this.#upsertUsers(body["users"] as Record<string, { id: string }>);
    if (request === "POST /channels") return this.#queryChannels(body["filter_conditions"] as { cid: string });
    const [, type, id] =
      /^POST \/channels\/(messaging|livestream|team|gaming|commerce)\/([\w-]{1,64})\/query$/.exec(request) ?? [];
    if (type === undefined || id === undefined) return [404, { code: 16 }];
    return this.#getOrCreate(type, id, body["data"] as Record<string, unknown>);
  }

  #queryUsers(body: Record<string, unknown>): [number, unknown] {
    const {
      filter_conditions,
      limit = QUERY_DEFAULT,
      include_deactivated_users: isAll = false,
    } = body as {
      filter_conditions: { id: { $in: string[] } };
      limit?: number;
      include_deactivated_users?: boolean;
    };
    const found = filter_conditions.id.$in.flatMap((id) => this.users.get(id) ?? []);
    return [200, { users: found.filter(({ deactivated }) => isAll || deactivated !== true).slice(0, limit) }];
  }

  #upsertUsers(users: Record<string, { id: string }>): [number, unknown] {
    if (Object.keys(users).length > USERS_MAX) return [400, { code: 4, message: "too many users" }];
    for (const [key, user] of Object.entries(users)) {
      if (key !== user.id || !/^[A-Za-z0-9@_-]+$/.test(key)) return [400, { code: 4, message: `bad user id ${key}` }];
      this.users.set(key, { role: "user", ...user });
    }
    return [201, { users }];
  }

  #queryChannels({ cid }: { cid: string }): [number, unknown] {
    const found = this.channels.get(cid);
    return [201, { channels: found === undefined ? [] : [show(found)] }];
  }

  #getOrCreate(type: string, id: string, data: Record<string, unknown>): [number, unknown] {
    const cid = `${type}:${id}`;
    const there = this.channels.get(cid);
    if (there !== undefined) return [201, show(there)];
    const { created_by_id: createdBy, members = [], ...rest } = data as { created_by_id?: string; members?: string[] };
    if (createdBy === undefined) return [400, { code: 4, message: "created_by_id is required server-side" }];
    if (![createdBy, ...members].every((user) => this.users.has(user)))
      return [400, { code: 4, message: "unknown users" }];
    const made = { type, id, data: rest, members, createdBy };
    this.channels.set(cid, made);
    return [201, show(made)];
  }
}

function show({ type, id, data, members, createdBy }: Kept): unknown {
  return {
    channel: {
      ...data,
      id,
      type,
      cid: `${type}:${id}`,
      created_by: { id: createdBy },
      created_at: "2026-01-05T12:00:00.000000Z",
    },
    members: members.map((user) => ({ user_id: user, user: { id: user } })),
  };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
