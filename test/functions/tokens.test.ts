import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verifyChatToken } from "../../domain/chat-tokens.ts";
import { TokenReply } from "../../protocol/http.ts";
import { alice, APP, createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { bearer, jsonBody, problemOf } from "../support/requests.ts";

let memory: MemoryDeps;
beforeEach(async () => {
  memory = await createMemoryDeps();
});
afterEach(() => memory.stop());

describe.each(["/v1/token", "/stream/token", "/api/chat/token"])("POST %s", (path) => {
  it("S0-1 S1-11 S3-3 answers the whole reply for the user of the session", async () => {
    const { app, session, deps, clock } = memory;
    const image = "https://img.example.com/a.png";
    const response = await app.request(path, {
      method: "POST",
      ...bearer(await session({ name: "Alice", picture: image })),
    });
    expect(response.status).toBe(200);
    const reply = TokenReply.parse(await response.json());
    expect(reply).toMatchObject({
      userId: "alice",
      user_id: "alice",
      user: { id: "alice", name: "Alice", image },
      expiresIn: 86_400,
      expiresAt: new Date(clock.now() + 86_400_000).toISOString(),
      wsUrl: "wss://chat.example.com/ws",
    });
    const claims = { userId: alice, app: APP, name: "Alice" };
    expect(await verifyChatToken(deps.tokenKeys, "rest", reply.token, clock.now())).toMatchObject(claims);
    expect(await verifyChatToken(deps.tokenKeys, "ws", reply.wsToken, clock.now())).toMatchObject(claims);
  });

  it("saves the user after the answer", async () => {
    const { app, session, deps, settle } = memory;
    await app.request(path, { method: "POST", ...bearer(await session({ name: "Alice" })) });
    await settle();
    expect(await deps.store.upsertUser(APP, { id: alice })).toMatchObject({ name: "Alice" });
  });
});

describe("POST /v1/tokens", () => {
  it("S3-1 mints for the user that is named", async () => {
    const response = await memory.app.request(
      "/v1/tokens",
      jsonBody({ userId: "bob", name: "Bob" }, { "x-api-key": await memory.apiKey() }),
    );
    expect(response.status).toBe(200);
    expect(TokenReply.parse(await response.json())).toMatchObject({ userId: "bob", user: { id: "bob", name: "Bob" } });
  });
});

describe("GET /v1/token", () => {
  it("S2-4 answers the caller's status and never a token", async () => {
    const response = await memory.app.request("/v1/token", bearer(await memory.session()));
    expect(await response.json()).toEqual({ userId: "alice", online: false, lastSeen: null, channels: 0, unread: 0 });
  });
  it("refuses a caller without a token", async () => {
    expect(await problemOf(await memory.app.request("/v1/token"))).toEqual({ status: 401, code: "token_missing" });
  });
});
