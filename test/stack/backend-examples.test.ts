import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { ChannelPage, TokenReply } from "../../protocol/http.ts";
import { ChatSocket } from "../support/chat-socket.ts";
import { EXPRESS, FASTAPI, LARAVEL, RAILS, type Recipe } from "../support/backends/recipes.ts";
import { ExampleBackend, signIn } from "../support/example-backend.ts";
import { startStack, type Stack } from "../support/stack.ts";

const Refusal = z.looseObject({ error: z.string() });
const WRONG_KEY = `chatsdk_test_${"a".repeat(12)}_${"b".repeat(43)}`;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());

const recipes: [name: string, recipe: Recipe][] = [
  ["Express", EXPRESS],
  ["FastAPI", FASTAPI],
  ["Rails", RAILS],
  ["Laravel", LARAVEL],
];
const CREATES_CHANNELS = new Set(["Express", "FastAPI"]);

describe.each(recipes)("the backend example for %s", (name, recipe) => {
  if (recipe.missing !== undefined) {
    it("is run", ({ skip }) => skip(recipe.missing));
    return;
  }
  const started: ExampleBackend[] = [];
  let backend: ExampleBackend;
  const person = (id: string) => `${name.toLowerCase()}-${id}`;
  const start = async (settings: Partial<Record<"CHATSDK_API_URL" | "CHATSDK_API_KEY", string>>) => {
    const all = { CHATSDK_API_URL: stack.apiUrl, CHATSDK_API_KEY: stack.apiKey, ...settings };
    const one = await ExampleBackend.start(recipe, all);
    started.push(one);
    return one;
  };
  beforeAll(async () => {
    backend = await start({});
  });
  afterAll(() => Promise.all(started.map((one) => one.stop())));
  const refusal = async (response: Response) => ({
    status: response.status,
    code: Refusal.parse(await response.json()).error,
  });

  it("S3-15 S3-17 gives whoever is signed in tokens that open a socket and HTTP", async () => {
    const session = await signIn({ sub: person("ada"), name: "Ada", picture: "https://img.example.com/a.png" });
    const response = await backend.post("/api/auth/chat-token", { session });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toContain("no-store");
    const tokens = TokenReply.parse(await response.json());
    expect(tokens.user).toEqual({ id: person("ada"), name: "Ada", image: "https://img.example.com/a.png" });
    const socket = ChatSocket.withToken(stack.wsUrl, tokens.wsToken);
    expect(await socket.next("welcome")).toMatchObject({ userId: person("ada") });
    await socket.leave();
    expect((await channelsOf(tokens.token)).channels).toEqual([]);
  });

  it("S3-24 S1-3 refuses who is not signed in, and gives nobody another's tokens", async () => {
    const sessions = [
      undefined,
      "not-a-jwt",
      await signIn({ sub: person("eve") }, "a secret of somebody else's, long enough"),
      await signIn({ sub: person("eve") }, undefined, "-1h"),
    ];
    for (const session of sessions) {
      const response = await backend.post("/api/auth/chat-token", session === undefined ? {} : { session });
      expect(await refusal(response)).toEqual({ status: 401, code: "sign_in_required" });
    }
    const session = await signIn({ sub: person("eve") });
    const response = await backend.post("/api/auth/chat-token", { session, body: { userId: person("ada") } });
    expect(TokenReply.parse(await response.json()).userId).toBe(person("eve"));
  });

  it.runIf(CREATES_CHANNELS.has(name))(
    "S0-3 creates channels with the server's rights, for the one who is signed in",
    async () => {
      const session = await signIn({ sub: person("cleo") });
      const channelId = person("orders");
      const body = { channelId, name: "Orders" };
      const created = await backend.post("/api/chat/channels", { session, body });
      expect(created.status).toBe(201);
      const { token } = TokenReply.parse(await (await backend.post("/api/auth/chat-token", { session })).json());
      expect((await channelsOf(token)).channels).toContainEqual(
        expect.objectContaining({ id: channelId, name: "Orders", type: "private" }),
      );
      const other = await backend.post("/api/chat/channels", { session: await signIn({ sub: person("eve") }), body });
      expect(await refusal(other)).toEqual({ status: 409, code: "channel_exists" });
      const badId = await backend.post("/api/chat/channels", { session, body: { channelId: "a/b" } });
      expect(await refusal(badId)).toEqual({ status: 400, code: "bad_room_id" });
    },
  );

  it("S3-16 passes on that there were too many requests, and for how long to wait", async () => {
    const session = await signIn({ sub: person("eager") });
    const asked = [];
    for (let n = 0; n < 11; n++) asked.push(await backend.post("/api/auth/chat-token", { session }));
    expect(asked[0]!.status).toBe(200);
    const last = asked.at(-1)!;
    expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refusal(last)).toEqual({ status: 429, code: "rate_limited" });
  });

  it("S3-18 S3-24 says nothing about its key when it is refused, and sends nobody to sign in again", async () => {
    const misled = await start({ CHATSDK_API_KEY: WRONG_KEY });
    const response = await misled.post("/api/auth/chat-token", { session: await signIn({ sub: person("ada") }) });
    expect(await refusal(response)).toEqual({ status: 502, code: "chat_refused" });
    await expect.poll(() => misled.log).toContain("401 invalid_api_key");
    expect(misled.log).not.toContain(WRONG_KEY);
  });

  it("answers 503 when chat is silent, broken or gone", async () => {
    let answer: string | undefined;
    const chat = createServer((_request, response) => {
      if (answer !== undefined) response.writeHead(500).end(answer);
    });
    const address = await listen(chat);
    const lost = await start({ CHATSDK_API_URL: address });
    const session = await signIn({ sub: person("ada") });
    const ask = async () => {
      const response = await lost.post("/api/auth/chat-token", { session });
      return { ...(await refusal(response)), wait: response.headers.get("retry-after") };
    };
    const unavailable = { status: 503, code: "chat_unavailable", wait: "5" };
    expect(await ask()).toEqual(unavailable); // silent: its time limit of 5 s ends it
    answer = "<h1>Not JSON</h1>";
    expect(await ask()).toEqual(unavailable);
    answer = JSON.stringify({ code: "internal" });
    expect(await ask()).toEqual(unavailable);
    chat.closeAllConnections();
    chat.close();
    expect(await ask()).toEqual(unavailable);
    expect(lost.log).not.toContain(stack.apiKey);
  });

  it("S0-8 has written no token and no key", async () => {
    const written = started.map(({ log }) => log).join("\n");
    expect(written).not.toMatch(/chatsdk_|eyJ/);
  });
});

async function channelsOf(token: string): Promise<ChannelPage> {
  const response = await fetch(`${stack.apiUrl}/v1/channels`, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  return ChannelPage.parse(await response.json());
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port");
  return `http://127.0.0.1:${address.port}`;
}
