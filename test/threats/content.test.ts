import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRedactor } from "../../domain/redact.ts";
import { parseContent } from "../../protocol/content.ts";
import type { Channel, HistoryPage, TokenReply } from "../../protocol/http.ts";
import { ChannelId } from "../../protocol/ids.ts";
import { alice, APP, createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { bearer, jsonBody, problemOf } from "../support/requests.ts";
import { storedEvent } from "../support/room-events.ts";

const MARKUP = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  '<svg onload="alert(1)">',
  "javascript:alert(1)",
  "[click](javascript:alert(1))",
  '"><iframe src=//evil.example>',
  "{{constructor.constructor('alert(1)')()}}",
  "${7*7}",
];
const INJECTIONS = [
  "'; drop table users; --",
  "' or '1'='1",
  '" or ""="',
  "1); delete from events; --",
  "$1",
  "\\'; select pg_sleep(10); --",
  "%27%20or%201=1",
  "admin'/*",
  "x' union select hash from api_keys --",
];

let memory: MemoryDeps;
let token: string;
beforeEach(async () => {
  memory = await createMemoryDeps({ CHANNEL_RATE_LIMIT: "100000", TOKEN_RATE_LIMIT: "100000", ENABLE_LOGGING: "true" });
  token = await memory.chatToken("rest");
});
afterEach(() => memory.stop());

const create = async (body: unknown): Promise<Response> =>
  memory.app.request("/v1/channels", jsonBody(body, { authorization: `Bearer ${token}` }));
const mint = async (body: unknown): Promise<Response> =>
  memory.app.request("/v1/tokens", jsonBody(body, { "x-api-key": await memory.apiKey() }));

describe("markup", () => {
  it.each(MARKUP)("M01 comes back as it was sent, as JSON that no browser takes for a page: %s", async (text) => {
    const made = await create({ channel_id: "c1", channel_name: text, custom: { text } });
    expect(made.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(made.headers.get("x-content-type-options")).toBe("nosniff");
    expect((await made.json()) as Channel).toMatchObject({ name: text, channel_name: text, custom: { text } });
    const minted = (await (await mint({ userId: "bob", name: text })).json()) as TokenReply;
    expect(minted.user.name).toBe(text);
  });
  it("M01 comes back from history as it was sent", async () => {
    const id = ChannelId.parse("c1");
    await create({ channel_id: id });
    const events = MARKUP.map((content, at) => storedEvent(at + 1, { content, username: content }));
    memory.rooms.tails.set(`${APP}:${id}`, { epoch: "e1", head: events.length, storedSeq: 0, isMember: true, events });
    const response = await memory.app.request(`/v1/channels/${id}/messages`, bearer(token));
    const page = (await response.json()) as HistoryPage;
    expect(page.messages.map(({ content }) => content)).toEqual(MARKUP);
    expect(page.messages.map(({ username }) => username)).toEqual(MARKUP);
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  });
});

describe("addresses of pictures", () => {
  it.each([
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:image/svg+xml;base64,PHN2Zz4=",
    "http://img.example.com/a.png",
    "//evil.example/a.png",
    "\\\\evil.example\\a.png",
    "https:\\\\evil.example",
    'https://x" onerror="alert(1)',
    "https://user:pass@img.example.com/a.png",
    "ftp://img.example.com/a.png",
    "/relative.png",
    "",
    "https://",
    `https://img.example.com/${"x".repeat(2_048)}`,
    "https://img.example.com/a b",
    "blob:https://img.example.com/1",
  ])("M02 refuses %j on mint", async (image) => {
    expect(await problemOf(await mint({ userId: "bob", image }))).toEqual({ status: 400, code: "bad_url" });
  });
  it("M02 keeps an address as the URL standard writes it", async () => {
    const minted = await mint({ userId: "bob", image: "HTTPS://IMG.example.com:443/ä.png" });
    expect(await minted.json()).toMatchObject({ user: { image: "https://img.example.com/%C3%A4.png" } });
  });
  it("M02 leaves out a bad picture of a session and lets the user in", async () => {
    const session = await memory.session({ picture: "javascript:alert(1)" });
    const response = await memory.app.request("/v1/token", { method: "POST", ...bearer(session) });
    expect(await response.json()).toMatchObject({ user: { id: "alice", image: null } });
  });
  it.each(["https://127.0.0.1/a", "https://169.254.169.254/latest", "https://[::1]/a", "https://2130706433/"])(
    "M03 stores %s and never fetches it",
    async (image) => {
      let fetched = 0;
      const watched = await createMemoryDeps();
      const original = globalThis.fetch;
      globalThis.fetch = (input, init) => {
        fetched += 1;
        return original(input, init);
      };
      const key = await watched.apiKey();
      const response = await watched.app.request(
        "/v1/tokens",
        jsonBody({ userId: "bob", image }, { "x-api-key": key }),
      );
      globalThis.fetch = original;
      await watched.stop();
      expect([response.status, fetched]).toEqual([200, 0]);
    },
  );
});

describe("SQL in every text", () => {
  it.each(INJECTIONS)("M04 is text where text is taken and refused where an id is: %j", async (text) => {
    const made = await create({ channel_id: "c1", name: text, custom: { text } });
    expect(await made.json()).toMatchObject({ name: text, custom: { text } });
    expect((await create({ channel_id: text })).status).toBe(400);
    expect((await create({ channel_id: "c2", members: [text] })).status).toBe(400);
    expect((await mint({ userId: text })).status).toBe(400);
    const minted = (await (await mint({ userId: "bob", name: text })).json()) as TokenReply;
    expect(minted.user.name).toBe(text);
    for (const path of [`/v1/channels/c1/messages?before=`, `/v1/channels?after=`])
      expect((await memory.app.request(path + encodeURIComponent(text), bearer(token))).status).toBe(400);
  });
});

describe("text in logs", () => {
  it("M05 is not there: no name, no path, no header of a user's", async () => {
    const text = 'canary\r\n{"level":"error"}\u001b[31m\u202e';
    await create({ channel_id: "c1", channel_name: text, custom: { text } });
    await mint({ userId: "bob", name: text });
    await memory.app.request("/v1/channels/canary-path", bearer(token, { "user-agent": "canary-agent" }));
    await memory.app.request("/canary-path?q=canary");
    expect(memory.lines.length).toBeGreaterThan(2);
    for (const line of memory.lines) {
      expect(line).not.toMatch(/canary|\r|\n/);
      expect(JSON.parse(line)).toMatchObject({ event: "request" });
    }
  });
  it("M05 O01 loses its secrets, its lines and its directions on the way", () => {
    const redact = createRedactor(["canary-secret-1"]);
    const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";
    const key = `chatsdk_live_abcdefghijkl_${"A".repeat(43)}`;
    const text = `a\r\nb\u202ec ${token} ${key} canary-secret-1 postgresql://u:p@h/d rediss://h:1 Bearer abc.def ?token=xyz`;
    const safe = redact(text);
    expect(safe).not.toMatch(/eyJ|chatsdk_live_a|canary|u:p|h:1|abc\.def|xyz|[\r\n\u202e]/);
    expect(redact("x".repeat(10_000))).toHaveLength(2_000);
  });
});

describe("lengths and odd text", () => {
  it("M06 counts code points and bytes", () => {
    expect(parseContent("x".repeat(1_000))).toHaveLength(1_000);
    expect(parseContent("😀".repeat(1_000))).toHaveLength(2_000);
    expect(() => parseContent("x".repeat(1_001))).toThrow(expect.objectContaining({ code: "content_too_long" }));
    expect(() => parseContent("😀".repeat(1_025), 4_000)).toThrow(
      expect.objectContaining({ code: "content_too_long" }),
    );
    expect(parseContent("e\u0301".repeat(500))).toHaveLength(1_000);
    expect(() => parseContent(`e${"\u0301".repeat(9)}`)).toThrow(expect.objectContaining({ code: "bad_content" }));
    expect(parseContent("👨‍👩‍👧‍👦")).toBe("👨‍👩‍👧‍👦");
  });
  it("M06 mends names: marks in a row, directions, length", async () => {
    const made = await create({ channel_id: "c1", name: `Z${"\u0301".repeat(100)}\u202eevil` });
    expect(((await made.json()) as Channel).name).toBe("Źevil");
    expect((await create({ channel_id: "c2", name: "x".repeat(201) })).status).toBe(400);
    expect((await create({ channel_id: "c3", name: "" })).status).toBe(400);
  });

  let shared: MemoryDeps;
  beforeAll(async () => {
    shared = await createMemoryDeps({ CHANNEL_RATE_LIMIT: "100000", TOKEN_RATE_LIMIT: "100000" });
  });
  afterAll(() => shared.stop());

  it("M09 round-trips or refuses whatever is sent, and never breaks", async () => {
    const [key, rest] = [await shared.apiKey(), await shared.chatToken("rest", alice)];
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 250 }),
      fc.string({ unit: "grapheme" }),
      fc.constantFrom(...MARKUP, ...INJECTIONS),
    );
    await fc.assert(
      fc.asyncProperty(text, text, fc.json({ maxDepth: 3 }), async (name, id, json) => {
        const custom: unknown = JSON.parse(json);
        const answers = await Promise.all([
          shared.app.request(
            "/v1/channels",
            jsonBody({ channel_id: id, name, custom }, { authorization: `Bearer ${rest}` }),
          ),
          shared.app.request("/v1/tokens", jsonBody({ userId: id, name, image: name, custom }, { "x-api-key": key })),
          shared.app.request(`/v1/channels/${encodeURIComponent(id.toWellFormed())}/messages`, bearer(rest)),
          shared.app.request(`/v1/users/${encodeURIComponent(id.toWellFormed())}/presence`, bearer(rest)),
        ]);
        for (const { status } of answers) expect(status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  });
  it.each([
    "undefined",
    "null",
    "NaN",
    "true",
    "1e100",
    "hasOwnProperty",
    "Ω≈ç√∫",
    "田中さん",
    "🏳️‍🌈",
    "̡͓̞ͅI̗̘̦͝n͇͇͙v̮̫ok̲̫̙͈i̖͙̭̹̠̞n̡̻̮̣̺g̲͈͙̭͙̬͎ ̰t͔̦h̞̲e̢̤",
    "﷽",
    "Ⅷ",
    "  padded  ",
  ])("M09 keeps the name %j in one spelling", async (name) => {
    const first = (await (await mint({ userId: "bob", name })).json()) as TokenReply;
    const again = (await (await mint({ userId: "bob", name: first.user.name })).json()) as TokenReply;
    expect(again.user.name).toBe(first.user.name);
  });
});
