import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchTokens } from "../../docs/guides/examples/expo/fetch-tokens.ts";
import { KeptTokens } from "../../docs/guides/examples/expo/kept-tokens.ts";
import { ChatClient } from "../../client/index.ts";
import { TokenReply } from "../../protocol/http.ts";
import { ChatSocket } from "../support/chat-socket.ts";
import { ExampleProgram } from "../support/example-program.ts";
import { readCodeBlocks } from "../support/guide-blocks.ts";
import { startStack, type Stack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());

const settings = () => ({ CHATSDK_API_URL: stack.apiUrl, CHATSDK_API_KEY: stack.apiKey });

/** Somebody in the lobby, with a raw socket. */
async function visitor(userId: string): Promise<ChatSocket> {
  const headers = { "x-api-key": stack.apiKey, "content-type": "application/json" };
  const body = JSON.stringify({ userId });
  const response = await fetch(`${stack.apiUrl}/v1/tokens`, { method: "POST", headers, body });
  const socket = ChatSocket.withToken(stack.wsUrl, TokenReply.parse(await response.json()).wsToken);
  await socket.next("room_joined");
  return socket;
}

describe("docs/guides/node.md", () => {
  it("S3-10 S4-33 shows a program that sends a message and ends", async () => {
    const [block] = (await readCodeBlocks()).filter(({ page }) => page === "docs/guides/node.md");
    const guest = await visitor("guest");
    const program = await ExampleProgram.start({ text: block!.text }, settings());
    const { userId, username, content } = await guest.next("message");
    expect({ userId, username, content }).toEqual({
      userId: "greeter",
      username: "Greeter",
      content: "Hello from Node",
    });
    expect(await program.ended()).toBe(0);
    expect(program.log).toMatch(/^greeter sent message \d+\n$/);
    await guest.leave();
  });
});

describe("docs/guides/examples/node/bot.ts", () => {
  it("answers what is said after it came, goes on after its socket is cut, and ends when asked to", async () => {
    const guest = await visitor("asker");
    guest.say({ type: "message", roomId: "lobby", content: "!ping", clientMessageId: "ping-before" });
    await guest.next("ack");
    const bot = await ExampleProgram.start({ file: "docs/guides/examples/node/bot.ts" }, settings());
    await guest.next("presence", ({ userId, status }) => userId === "ping-bot" && status === "online");
    guest.say({ type: "message", roomId: "lobby", content: "!ping", clientMessageId: "ping-after" });
    await guest.next("message", ({ userId, content }) => userId === "ping-bot" && content === "pong");

    await stack.worker.kill();
    await stack.worker.start();
    await guest.closing();
    const again = await visitor("asker");
    again.say({ type: "message", roomId: "lobby", content: "!ping", clientMessageId: "ping-again" });
    await again.next("message", ({ userId }) => userId === "ping-bot", 60_000);
    const pongs = again.all("room_joined")[0]!.messages.filter(({ userId }) => userId === "ping-bot");
    expect(pongs).toHaveLength(1);
    expect(await bot.stop()).toBe(0);
    expect(bot.log).not.toMatch(/chatsdk_|eyJ/);
    await again.leave();
  });
});

describe("docs/guides/examples/next/route.ts", () => {
  /** One request, by whoever is signed in with Clerk. */
  const post = async (more: Record<string, string>) => {
    const text = `
      import { POST } from "./docs/guides/examples/next/route.ts";
      const response = await POST();
      console.log(JSON.stringify({ status: response.status, ...(await response.json()) }));`;
    const program = await ExampleProgram.start({ text }, { ...settings(), ...more });
    await program.ended();
    return program.log;
  };

  it("S3-15 S3-17 gives tokens to whoever is signed in, under the name that Clerk has", async () => {
    const { status, ...tokens } = JSON.parse(await post({ SIGNED_IN: "user_2x" }));
    expect(status).toBe(200);
    expect(TokenReply.parse(tokens).user).toMatchObject({ id: "user_2x", name: "Signed In" });
  });

  it("refuses who is not, and says when chat is out of reach", async () => {
    expect(JSON.parse(await post({}))).toEqual({ status: 401, error: "sign_in_required" });
    const log = await post({ SIGNED_IN: "user_2x", CHATSDK_API_URL: "http://127.0.0.1:9" });
    expect(log).toContain('{"status":503,"error":"chat_unavailable"');
    expect(log).not.toContain(stack.apiKey);
  });
});

describe("docs/guides/examples/expo", () => {
  const secrets = new Map<string, string>();
  const store = {
    getItemAsync: async (key: string) => secrets.get(key) ?? null,
    setItemAsync: async (key: string, value: string) => void secrets.set(key, value),
    deleteItemAsync: async (key: string) => void secrets.delete(key),
  };
  let fetched = 0;
  /** The app, started anew. */
  const startApp = (user: string) => {
    const kept = new KeptTokens(
      user,
      async ({ signal }) => {
        fetched += 1;
        return fetchTokens(stack.apiUrl, await stack.session(user), signal);
      },
      store,
    );
    return { kept, client: new ChatClient({ apiUrl: stack.apiUrl, getToken: kept.getToken }) };
  };

  it("S3-12 S3-14 S1-10 swaps a sign-in for tokens once, and keeps them where expo-secure-store takes them", async () => {
    const first = startApp("phone");
    await first.client.connect();
    first.client.disconnect();
    const second = startApp("phone");
    await second.client.connect();
    expect(second.client.userId).toBe("phone");
    second.client.disconnect();
    expect(fetched).toBe(1);
    const [value = ""] = secrets.values();
    expect(Buffer.byteLength(value)).toBeLessThan(2_048); // what it takes at most
  });

  it("gives nobody the tokens of who was signed in before", async () => {
    const other = startApp("other");
    await other.client.connect();
    expect(other.client.userId).toBe("other");
    other.client.disconnect();
  });

  it("forgets tokens that were revoked while the app was closed, and goes on with new ones", async () => {
    const first = startApp("phone");
    await first.client.connect();
    first.client.disconnect();
    const revoked = await fetch(`${stack.apiUrl}/v1/users/phone/revoke`, {
      method: "POST",
      headers: { "x-api-key": stack.apiKey },
    });
    expect(revoked.status).toBe(200);
    const { client, kept } = startApp("phone");
    const refused = new Promise((told) => client.on("unauthorized", told));
    await Promise.allSettled([client.connect(), refused]);
    expect(client.connectionState).toBe("stopped");
    expect(await kept.forget()).toBe(true);
    await client.connect();
    expect(client.connectionState).toBe("online");
    client.disconnect();
  });

  it("S1-10 says that there is no use in trying on when nobody is signed in, and waits when told to", async () => {
    const { signal } = new AbortController();
    await expect(fetchTokens(stack.apiUrl, null, signal)).rejects.toMatchObject({ status: 401 });
    await expect(fetchTokens(stack.apiUrl, "no-jwt", signal)).rejects.toMatchObject({ status: 401 });
    const session = await stack.session("eager");
    const outcomes = [];
    for (let n = 0; n < 11; n++)
      outcomes.push(...(await Promise.allSettled([fetchTokens(stack.apiUrl, session, signal)])));
    expect(outcomes.at(-1)).toMatchObject({ reason: { status: 429, retryAfterMs: expect.any(Number) } });
  });
});
