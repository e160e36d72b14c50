import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { onBeforeConnect } from "../../party/edge.ts";
import { TokenReply } from "../../protocol/http.ts";
import { createTestGateway, NOW, VARIABLES } from "../gateway/fake-sockets.ts";
import { createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { bearer, jsonBody, problemOf } from "../support/requests.ts";

const MINUTE = 60_000;

/** The HTTP side with the keys of the gateway's and the rooms' doors, so that its tokens open them. */
let memory: MemoryDeps;
let tokens: TokenReply;
beforeEach(async () => {
  vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
  const { CHAT_JWT_SECRET, PUBLIC_URL } = VARIABLES;
  memory = await createMemoryDeps({ CHAT_JWT_SECRET, PUBLIC_URL });
  memory.clock.advance(NOW - memory.clock.now());
  tokens = TokenReply.parse(await (await exchange()).json());
  memory.keyServer.fail();
  memory.clock.advance(23 * 60 * MINUTE);
  vi.setSystemTime(memory.clock.now());
});
afterEach(async () => {
  vi.useRealTimers();
  await memory.stop();
});

const exchange = async () => memory.app.request("/v1/token", { method: "POST", ...bearer(await memory.session()) });

describe("D10 without the identity provider, chat tokens from before", () => {
  it("work over HTTP until they expire, and ask it nothing", async () => {
    const { headers } = bearer(tokens.token);
    const made = await memory.app.request("/v1/channels", jsonBody({ channelId: "plans", name: "Plans" }, headers));
    expect(made.status).toBe(201);
    for (const path of ["/v1/channels", "/v1/channels/plans", "/v1/channels/plans/messages", "/v1/users/bob/presence"])
      expect([path, (await memory.app.request(path, { headers })).status]).toEqual([path, 200]);
    expect(memory.keyServer.requests).toBe(1);
    memory.clock.advance(61 * MINUTE);
    expect(await problemOf(await memory.app.request("/v1/channels", { headers }))).toEqual({
      status: 401,
      code: "token_expired",
    });
  });

  it("open sockets at the gateway, which then carry messages", async () => {
    vi.useFakeTimers({ now: memory.clock.now() });
    const gateway = await createTestGateway();
    const { client, lobby } = await gateway.joined({ headers: { authorization: `Bearer ${tokens.wsToken}` } });
    expect(client.ofType("welcome")).toMatchObject([{ userId: "alice" }]);
    expect(client.ofType("room_joined")).toHaveLength(1);
    const message = { type: "message", roomId: "lobby", content: "still here", clientMessageId: "m-0000001" };
    client.hear(JSON.stringify(message));
    expect(lobby.frames).toEqual([message]);
  });

  it("open sockets at the rooms' own door", async () => {
    const woken: string[] = [];
    const room = {
      fetch: async (path: string) => {
        woken.push(path);
        return path === "/admission" ? new Response(null, { status: 204 }) : Response.json({});
      },
    };
    await onBeforeConnect(
      new Request("https://rooms.example/parties/main/lobby", {
        headers: {
          upgrade: "websocket",
          "sec-websocket-version": "13",
          authorization: `Bearer ${tokens.wsToken}`,
        },
      }),
      {
        env: {
          ...VARIABLES,
          CLERK_JWT_ISSUER: "https://issuer.example.com",
          CLERK_JWKS_URL: `${memory.keyServer.url}/jwks`,
        },
        parties: {
          main: { get: () => room },
          people: { get: () => ({ fetch: async () => Response.json({ notBefore: 0 }) }) },
        },
      },
    );
    expect(memory.keyServer.requests).toBe(1);
    expect(woken).toEqual(["/admission", expect.stringMatching(/^\/\?_pk=/)]);
  });
});

it("D10 nobody signs in anew once the last keys are too old", async () => {
  memory.clock.advance(2 * 60 * MINUTE);
  const refused = await exchange();
  expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
  expect(await problemOf(refused)).toEqual({ status: 503, code: "auth_unavailable" });
});
