import { createServer, type IncomingMessage, type Server } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Issuer, startIssuer } from "../../dev/issuer.ts";
import { listen, readText } from "../../dev/listen.ts";
import { writeStackFile } from "../../dev/stack-file.ts";
import { runCommand } from "../support/run-command.ts";

const session = (args: string[], environment?: Record<string, string>) =>
  runCommand("commands/session.ts", args, environment);

describe("npm run session, with the local stack", () => {
  let dir: string;
  let issuer: Issuer;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "parley-session-"));
    issuer = await startIssuer({ pageOrigin: "http://127.0.0.1:8787" });
    await writeStackFile(dir, {
      pid: process.pid,
      apiUrl: "http://127.0.0.1:8787",
      wsUrl: "ws://127.0.0.1:8787/ws",
      partyUrl: "http://127.0.0.1:1999",
      issuer: issuer.url,
      apiKey: "the-api-key",
      databaseUrl: "postgresql://local",
      neonFetchEndpoint: "http://127.0.0.1:1",
      redisRestUrl: "http://127.0.0.1:2",
      redisRestToken: "the-redis-token",
      chatJwtSecret: "the-chat-secret",
    });
  });
  afterAll(async () => {
    await issuer.close();
    await rm(dir, { recursive: true });
  });

  it("prints a session token and nothing else", async () => {
    const { code, stdout, stderr } = await session([
      "--user",
      "alice",
      "--name",
      "Alice",
      "--ttl",
      "60",
      "--data",
      dir,
    ]);
    expect([code, stderr]).toEqual([0, ""]);
    const claims = decodeJwt(stdout.trim());
    expect(claims).toMatchObject({ iss: issuer.url, sub: "alice", name: "Alice" });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(60);
  });

  it("says what to do when no stack runs", async () => {
    const { code, stdout, stderr } = await session(["--user", "alice", "--data", join(dir, "none")]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^No stack is running on .*: start one with npm run dev, or set CLERK_SECRET_KEY\n$/);
  });

  it.each([
    [[], /--user is missing/],
    [["--user", "a b"], /Cannot take --user "a b"/],
    [["--user", "alice", "--ttl", "-5"], /--ttl/],
    [["--user", "alice", "--ttl", "1e9"], /Cannot read --ttl "1e9"/],
    [["--user", "alice", "--nope"], /--nope/],
    [["--user", "alice", "surplus"], /surplus/],
  ])("refuses %j with exit code 2", async (args, message) => {
    const { code, stdout, stderr } = await session(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });

  it("prints help", async () => {
    const { code, stdout } = await session(["--help"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("Usage: npm run -s session")]);
  });

  it("npm run dev:env prints the six documented keys and no other", async () => {
    const { code, stdout } = await runCommand("commands/dev-env.ts", ["--data", dir]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      apiUrl: "http://127.0.0.1:8787",
      wsUrl: "ws://127.0.0.1:8787/ws",
      partyUrl: "http://127.0.0.1:1999",
      issuer: issuer.url,
      apiKey: "the-api-key",
      databaseUrl: "postgresql://local",
    });
  });

  it("npm run dev:env prints help, refuses what it does not know, and fails when no stack runs", async () => {
    expect(await runCommand("commands/dev-env.ts", ["--help"])).toMatchObject({ code: 0 });
    expect(await runCommand("commands/dev-env.ts", ["--nope"])).toMatchObject({ code: 2, stdout: "" });
    const none = await runCommand("commands/dev-env.ts", ["--data", join(dir, "none")]);
    expect(none).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/^No stack is running/) });
  });
});

/** Checks what Clerk's Backend API reference says of the four calls, and answers in its shapes. */
class LocalClerk {
  readonly key = "sk_test_local-clerk-key";
  users = new Map<string, { id: string; external_id: string; first_name: string }>();
  calls: string[] = [];
  #server: Server | undefined;
  url = "";

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      this.#answer(request)
        .catch(() => ({ status: 500, body: {} }))
        .then(({ status, body }) => {
          response.writeHead(status, { "content-type": "application/json" });
          response.end(JSON.stringify(body));
        })
        .catch(() => response.destroy());
    });
    await listen(this.#server, 0);
    const address = this.#server.address();
    this.url = typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const { pathname, searchParams } = new URL(request.url ?? "/", this.url);
    this.calls.push(`${request.method} ${pathname}`);
    if (request.headers.authorization !== `Bearer ${this.key}`) return refusal(401, "Invalid secret key");
    if (!/^\d{4}-\d\d-\d\d$/.test(String(request.headers["clerk-api-version"]))) return refusal(400, "API version");
    const text = await readText(request, 10_000);
    if (text !== "" && request.headers["content-type"] !== "application/json") return refusal(415, "content type");
    const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    const [, sessionId] = /^\/v1\/sessions\/(\w+)\/tokens$/.exec(pathname) ?? [];
    if (request.method === "GET" && pathname === "/v1/users") return this.#list(searchParams);
    if (request.method === "GET" && pathname.startsWith("/v1/users/")) return this.#one(pathname.slice(10));
    if (request.method === "POST" && pathname === "/v1/users") return this.#create(body);
    if (request.method === "POST" && pathname === "/v1/sessions") return this.#open(body);
    if (request.method === "POST" && sessionId !== undefined) return sign(sessionId, body);
    return refusal(404, "Resource not found");
  }

  #list(query: URLSearchParams) {
    const wanted = query.getAll("external_id").map((id) => id.replace(/^\+/, ""));
    return { status: 200, body: [...this.users.values()].filter((user) => wanted.includes(user.external_id)) };
  }

  #one(id: string) {
    const user = [...this.users.values()].find((candidate) => candidate.id === id);
    return user === undefined ? refusal(404, "User not found") : { status: 200, body: user };
  }

  #create(body: Record<string, unknown>) {
    const known = ["external_id", "first_name", "email_address", "skip_password_requirement"];
    const unknown = Object.keys(body).find((name) => !known.includes(name));
    if (unknown !== undefined) return refusal(422, `${unknown} is not a valid parameter`);
    if (!Array.isArray(body["email_address"])) return refusal(422, "email_address must be an array");
    const externalId = String(body["external_id"]);
    if (this.users.has(externalId)) return refusal(422, "That external ID is taken");
    const user = { id: `user_${this.users.size}`, external_id: externalId, first_name: String(body["first_name"]) };
    this.users.set(externalId, user);
    return { status: 200, body: { object: "user", ...user } };
  }

  #open(body: Record<string, unknown>) {
    const user = [...this.users.values()].find(({ id }) => id === body["user_id"]);
    if (user === undefined) return refusal(404, "User not found");
    return { status: 200, body: { object: "session", id: `sess_${user.id}`, user_id: user.id, status: "active" } };
  }
}

function sign(sessionId: string, body: Record<string, unknown>) {
  const seconds = body["expires_in_seconds"];
  if (typeof seconds !== "number" || seconds < 30) return refusal(422, "expires_in_seconds must be at least 30");
  return { status: 200, body: { object: "token", jwt: `jwt.for.${sessionId}.${seconds}` } };
}

function refusal(status: number, message: string) {
  return { status, body: { errors: [{ code: "some_code", message, long_message: `${message}, at length` }] } };
}

describe("npm run session, with Clerk", () => {
  const clerk = new LocalClerk();
  beforeAll(() => clerk.start());
  afterAll(() => clerk.stop());
  beforeEach(() => {
    clerk.users.clear();
    clerk.calls = [];
  });
  const environment = () => ({ CLERK_API_URL: clerk.url, CLERK_SECRET_KEY: clerk.key });

  it("creates the user, opens a session and prints its token", async () => {
    const result = await session(["--user", "alice|1", "--name", "Alice", "--ttl", "90"], environment());
    expect(result).toEqual({ code: 0, stdout: "jwt.for.sess_user_0.90\n", stderr: "" });
    expect([...clerk.users.values()]).toEqual([{ id: "user_0", external_id: "alice|1", first_name: "Alice" }]);
    expect(clerk.calls).toEqual([
      "GET /v1/users",
      "POST /v1/users",
      "POST /v1/sessions",
      "POST /v1/sessions/sess_user_0/tokens",
    ]);
  });

  it("uses the user there is, by external id or by Clerk's own", async () => {
    clerk.users.set("bob", { id: "user_bob", external_id: "bob", first_name: "Bob" });
    const byExternalId = await session(["--user", "bob"], environment());
    const byClerkId = await session(["--user", "user_bob"], environment());
    expect([byExternalId.stdout, byClerkId.stdout]).toEqual([
      "jwt.for.sess_user_bob.3600\n",
      "jwt.for.sess_user_bob.3600\n",
    ]);
    expect(clerk.users.size).toBe(1);
  });

  it("takes the key by its other name", async () => {
    const result = await session(["--user", "alice"], { CLERK_API_URL: clerk.url, CLERK_API_KEY: clerk.key });
    expect(result.code).toBe(0);
  });

  it("O01 tells Clerk's reason for a refusal and never the key", async () => {
    const wrong = { CLERK_API_URL: clerk.url, CLERK_SECRET_KEY: "sk_test_wrong" };
    const { code, stdout, stderr } = await session(["--user", "alice"], wrong);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("Clerk refused GET /v1/users");
    expect(stderr).toContain("Invalid secret key, at length");
    expect(stderr).not.toContain("sk_test_wrong");
  });

  it("says so when Clerk does not answer, and when the lifetime is too short for it", async () => {
    const away = { CLERK_API_URL: "http://127.0.0.1:9", CLERK_SECRET_KEY: "k" };
    expect(await session(["--user", "alice"], away)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("does not answer"),
    });
    expect(await session(["--user", "alice", "--ttl", "5"], environment())).toMatchObject({ code: 1 });
  });
});
