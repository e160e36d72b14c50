import { gzipSync } from "node:zlib";
import { createApp } from "../../functions/app.ts";
import type { Route } from "../../functions/route.ts";
import { ROUTES } from "../../functions/routes.ts";
import { Problem } from "../../protocol/http.ts";
import { ChatError } from "../../protocol/errors.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryDeps, type MemoryDeps, PAGE_ORIGIN } from "../support/memory-deps.ts";
import { bearer, problemOf } from "../support/requests.ts";

let memory: MemoryDeps;
let token: string;
beforeEach(async () => {
  memory = await createMemoryDeps();
  token = await memory.chatToken("rest");
});
afterEach(() => memory.stop());

const ask = async (path: string, init?: RequestInit): Promise<Response> => memory.app.request(path, init);

describe("origins", () => {
  const strangers = [
    "https://evil.example",
    "null",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.evil.com",
    "https://sub.app.example.com",
    "https://APP.example.com",
  ];
  it.each(strangers)("W03 tells a browser nothing from %s", async (origin) => {
    for (const [path, init] of [
      ["/v1/channels", bearer(token, { origin })],
      ["/v1/channels", { headers: { origin } }],
      ["/healthz", { headers: { origin } }],
      ["/nowhere", { headers: { origin } }],
    ] as const) {
      const { headers } = await ask(path, init);
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(headers.get("access-control-allow-credentials")).toBeNull();
      expect(headers.get("vary")).toContain("Origin");
    }
    const preflight = await ask("/v1/token", {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
    expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
    expect(await problemOf(preflight)).toEqual({ status: 403, code: "bad_origin" });
  });

  it("W03 answers an allowed origin with itself, errors included, and never with credentials", async () => {
    for (const path of ["/v1/channels", "/healthz", "/nowhere"]) {
      const { headers } = await ask(path, { headers: { origin: PAGE_ORIGIN } });
      expect(headers.get("access-control-allow-origin")).toBe(PAGE_ORIGIN);
      expect(headers.get("access-control-allow-credentials")).toBeNull();
      expect(headers.get("vary")).toContain("Origin");
    }
    const own = await ask("/healthz", { headers: { origin: "https://chat.example.com" } });
    expect(own.headers.get("access-control-allow-origin")).toBe("https://chat.example.com");
  });

  it("W03 answers a preflight so that no cache mixes it up, and never offers the header of API keys", async () => {
    const { status, headers } = await ask("/v1/token", {
      method: "OPTIONS",
      headers: { origin: PAGE_ORIGIN, "access-control-request-method": "POST" },
    });
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-methods")).toContain("POST");
    expect(headers.get("access-control-allow-headers")).toBe("Authorization, Content-Type");
    expect(headers.get("vary")).toBe("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  });
});

describe("bodies", () => {
  const big = JSON.stringify({ channel_id: "c1", name: "x".repeat(33 * 1024) });
  const stream = (text: string, size = 1_000) =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        const bytes = new TextEncoder().encode(text.slice(0, size));
        text = text.slice(size);
        if (bytes.length === 0) controller.close();
        else controller.enqueue(bytes);
      },
    });
  const send = async (body: BodyInit, headers: Record<string, string> = {}, path = "/v1/channels") =>
    ask(path, {
      method: "POST",
      body,
      // Node wants to be told that a streamed body does not wait for the answer.
      ...({ duplex: "half" } as object),
      headers: { "content-type": "application/json", authorization: `Bearer ${token}`, ...headers },
    });

  it("W12 counts the bytes that arrive, whatever the headers say", async () => {
    expect((await send(big)).status).toBe(413);
    expect((await send(stream(big))).status).toBe(413);
    expect((await send(stream(big), { "content-length": "10" })).status).toBe(413);
    expect((await send("{}", { "content-length": "99999999" })).status).toBe(413);
    expect((await send(stream(JSON.stringify({ channel_id: "fits" })), {})).status).toBe(201);
    expect((await send(stream(" ".repeat(10_000_000), 60_000))).status).toBe(413);
  });
  it("W12 limits the bodies of token routes too", async () => {
    const session = { authorization: `Bearer ${await memory.session()}` };
    expect((await send(big, session, "/v1/token")).status).toBe(413);
    expect((await send(big, { "x-api-key": await memory.apiKey() }, "/v1/tokens")).status).toBe(413);
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/json; charset=iso-8859-1",
    "application/jsonp",
    "application/json, text/plain",
    "",
  ])("W13 refuses a body of type %j", async (type) => {
    expect((await send('{"channel_id":"c1"}', { "content-type": type })).status).toBe(415);
  });
  it("W13 refuses a compressed body unread", async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000, " "));
    expect((await send(bomb, { "content-encoding": "gzip" })).status).toBe(415);
  });
  it.each(["application/json", "application/json;charset=UTF-8", 'Application/JSON; charset="utf-8"'])(
    "W13 takes %s",
    async (type) => {
      expect((await send('{"channel_id":"typed"}', { "content-type": type })).status).toBe(201);
    },
  );
  it.each<[string, BodyInit]>([
    ["nothing", ""],
    ["text", "hello"],
    ["a cut object", '{"channel_id":"c1"'],
    ["a list", "[]"],
    ["null", "null"],
    ["a number", "7"],
    ["two objects", "{}{}"],
    ["invalid UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    [
      "invalid UTF-8 in a name",
      Buffer.concat([Buffer.from('{"channel_id":"c1","name":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
    ],
    ["a byte order mark", '\ufeff{"channel_id":"c1"}'],
    ["UTF-16", Buffer.from('{"channel_id":"c1"}', "utf16le")],
    ["1,000 levels", "[".repeat(1_000) + "]".repeat(1_000)],
    ["a prototype", '{"channel_id":"c1","__proto__":{"role":"admin"}}'],
    ["J17 a prototype in custom", '{"channel_id":"c1","custom":{"__proto__":{"role":"admin"}}}'],
    ["J17 a prototype deep in custom", '{"channel_id":"c1","custom":{"a":[{"__proto__":{"role":"admin"}}]}}'],
    ["an infinite number", '{"channel_id":"c1","custom":{"n":1e999}}'],
  ])("W13 refuses %s as a body", async (_, body) => {
    expect(await problemOf(await send(body))).toEqual({ status: 400, code: "bad_request" });
  });
  it("J17 refuses a prototype in the custom of a user", async () => {
    const key = { "x-api-key": await memory.apiKey() };
    const response = await send('{"userId":"bob","custom":{"__proto__":{"role":"admin"}}}', key, "/v1/tokens");
    expect(await problemOf(response)).toEqual({ status: 400, code: "bad_request" });
  });
  it("W13 takes a body that breaks off for the sender's doing, and not for a bug", async () => {
    const broken = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('{"channel_id":')),
      pull: (controller) => controller.error(new TypeError("terminated")),
    });
    expect(await problemOf(await send(broken))).toEqual({ status: 400, code: "bad_request" });
    expect(memory.lines).toEqual([]);
  });
});

describe("what is answered besides the answer", () => {
  it("W17 lets nothing be cached, and says so on errors too", async () => {
    const answers = [
      await ask("/v1/token", { method: "POST", ...bearer(await memory.session()) }),
      await ask("/v1/token", bearer(token)),
      await ask("/v1/channels", bearer(token)),
      await ask("/v1/channels"),
      await ask("/nowhere"),
      await ask("/v1/health"),
    ];
    for (const { headers } of answers) expect(headers.get("cache-control")).toBe("private, no-store");
  });
  it("S2-11 carries the headers that keep browsers from guessing", async () => {
    const { headers } = await ask("/healthz");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("strict-transport-security")).toMatch(/max-age=\d{8}/);
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("bugs", () => {
  const dsn = "postgresql://parley:pw-canary-1@db.internal.example/parley";
  const bug = new Error(`connect ECONNREFUSED ${dsn}`, { cause: new Error("Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc") });
  const throwing = (thrown: unknown) => (route: Route) => ({
    ...route,
    auth: [],
    handler: async () => {
      throw thrown;
    },
  });

  it("W18 answers a thrown bug on every route with a problem that shows nothing of it", async () => {
    const routes = ROUTES.map(throwing(bug)).map(
      ({ body: _body, params: _params, query: _query, limit: _limit, ...route }) => route,
    );
    const broken = createApp(memory.deps, routes);
    for (const route of routes)
      for (const path of [route.path, ...(route.aliases ?? [])]) {
        const response = await broken.request(path.replace(":id", "x"), { method: route.method });
        const text = await response.text();
        expect(Problem.parse(JSON.parse(text))).toMatchObject({ status: 500, code: "internal" });
        expect(text).not.toMatch(/canary|ECONNREFUSED|internal\.example|\.ts|stack|eyJ/);
      }
    const logged = memory.lines.join("\n");
    expect(logged).toContain('"event":"bug"');
    expect(logged).not.toMatch(/canary|eyJ|db\.internal/);
  });

  it.each([null, undefined, "a text", { message: dsn }, new ChatError("internal", { cause: bug })])(
    "W18 answers the same whatever is thrown: %j",
    async (thrown) => {
      const routes = ROUTES.filter(({ path }) => path === "/healthz").map(throwing(thrown));
      const response = await createApp(memory.deps, routes).request("/healthz");
      expect(await response.text()).not.toContain("canary");
      expect(response.status).toBe(500);
    },
  );

  it("W18 gives a failing store its own code and none of its words", async () => {
    const failing = {
      ...memory.deps.store,
      listChannels: async () => Promise.reject(new ChatError("storage_unavailable", { cause: bug })),
    };
    const response = await createApp({ ...memory.deps, store: failing }).request("/v1/channels", bearer(token));
    const text = await response.text();
    expect(Problem.parse(JSON.parse(text))).toMatchObject({ status: 503, code: "storage_unavailable" });
    expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(text).not.toContain("canary");
  });
});
