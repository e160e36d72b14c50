import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Problem } from "../../protocol/http.ts";
import { bob, createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { bearer, jsonBody, problemOf } from "../support/requests.ts";

let memory: MemoryDeps;
let token: string;
beforeEach(async () => {
  memory = await createMemoryDeps();
  token = await memory.chatToken("rest");
});
afterEach(() => memory.stop());

const ask = async (path: string, init?: RequestInit): Promise<Response> => memory.app.request(path, init);
const create = async (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  ask("/v1/channels", jsonBody(body, { authorization: `Bearer ${token}`, ...headers }));

describe("addresses", () => {
  it.each([
    "/v1/channels/%72oom",
    "/v1/channels/a%2Fb",
    "/v1/channels/..%2fadmin",
    "/v1/channels/room.",
    "/v1/channels/caf%C3%A9",
    "/v1/channels/cafe%CC%81",
    "/v1/channels/a%00b",
    `/v1/channels/${"x".repeat(65)}`,
    `/v1/channels/${"x".repeat(2_000)}`,
    "/v1/channels/%F0%9F%98%80",
    "/v1/channels/a%7cb",
    "/v1/channels/%40room",
    "/v1/presence?roomId=%72oom",
    "/v1/presence?roomId=a+b",
    "/v1/presence?roomId=",
    "/v1/presence?roomId=a&roomId=a",
    "/v1/channels/%72oom/messages",
  ])("W07 takes no other spelling of a channel's id: %s", async (path) => {
    expect(await problemOf(await ask(path, bearer(token)))).toEqual({ status: 400, code: "bad_room_id" });
  });
  it("W07 tells ROOM from room", async () => {
    await create({ channel_id: "room" });
    expect((await ask("/v1/channels/room", bearer(token))).status).toBe(200);
    expect((await ask("/v1/channels/ROOM", bearer(token))).status).toBe(404);
  });
  it("W07 takes a user's id as every client writes it", async () => {
    for (const id of ["auth0|7", "auth0%7C7", "auth0%7c7", "a%40b.example", "a@b.example"])
      expect((await ask(`/v1/users/${id}/presence`, bearer(token))).status).toBe(200);
    expect((await ask("/v1/users/%61lice/presence", bearer(token))).status).toBe(400);
  });

  it.each([
    "/%761/channels",
    "/v1/%63hannels",
    "/v1//channels",
    "//v1/channels",
    "/v1/channels/",
    "/V1/channels",
    "/v1/channels;x",
    "/v1%2Fchannels",
  ])("W08 serves nothing at %s, whoever asks", async (path) => {
    expect(await problemOf(await ask(`http://localhost${path}`, bearer(token)))).toEqual({
      status: 404,
      code: "not_found",
    });
    expect((await ask(`http://localhost${path}`)).status).toBe(404);
  });
  it.each(["/v1/./channels", "/v1/x/../channels", "/v1/%2e/channels", "/v1/x/%2e%2e/channels"])(
    "W08 asks for a token wherever %s leads",
    async (path) => {
      expect((await ask(`http://localhost${path}`)).status).toBe(401);
    },
  );

  it("W15 answers an unknown address with a problem and builds no link from Host", async () => {
    const response = await ask("http://evil.example/nowhere", { headers: { host: "evil.example" } });
    const text = await response.text();
    expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    expect(Problem.parse(JSON.parse(text))).toMatchObject({ status: 404, code: "not_found" });
    expect(text).not.toContain("evil");
    const reply = await ask("http://evil.example/v1/token", { method: "POST", ...bearer(await memory.session()) });
    expect(await reply.text()).not.toContain("evil");
    expect((await ask("http://evil.example/v1/sign-in")).status).toBe(200);
  });

  it("W16 answers alike for a channel that is closed to the caller and for one that is not there", async () => {
    await create({ channel_id: "closed", type: "private" });
    const stranger = bearer(await memory.chatToken("rest", bob));
    const strip = async (path: string) => {
      const response = await ask(path, stranger);
      return `${response.status} ${(await response.text()).replace(/"requestId":"[^"]*"/, "")}`;
    };
    for (const rest of ["", "/messages", "/messages?before=5"])
      expect(await strip(`/v1/channels/closed${rest}`)).toBe(await strip(`/v1/channels/absent${rest}`));
    expect(await strip("/v1/presence?roomId=closed")).toBe(await strip("/v1/presence?roomId=absent"));
    expect(await strip("/v1/channels/closed")).toContain("404");
    expect(memory.rooms.asked).toBe(0);
  });
});

describe("methods", () => {
  it.each(["PUT", "DELETE", "PATCH"])("W14 refuses %s and says what is taken", async (method) => {
    const response = await ask("/v1/token", { method, ...bearer(token) });
    expect(response.headers.get("allow")).toBe("POST, GET, HEAD, OPTIONS");
    expect(await problemOf(response)).toEqual({ status: 405, code: "method_not_allowed" });
  });
  it.each(["x-http-method-override", "x-method-override", "x-http-method"])("W14 ignores %s", async (header) => {
    const response = await ask("/v1/tokens", { headers: { [header]: "POST", "x-api-key": await memory.apiKey() } });
    expect(response.status).toBe(405);
    expect((await ask("/v1/tokens?_method=POST")).status).toBe(405);
  });
  it("W14 answers HEAD as GET, with the same care and no body", async () => {
    expect((await ask("/v1/channels", { method: "HEAD" })).status).toBe(401);
    const response = await ask("/v1/channels", { method: "HEAD", ...bearer(token) });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
    expect((await ask("/v1/tokens", { method: "HEAD" })).status).toBe(405);
  });
  it("W14 answers OPTIONS with what is taken, and nothing of anybody's", async () => {
    const response = await ask("/v1/token", { method: "OPTIONS" });
    expect([response.status, response.headers.get("allow")]).toEqual([204, "POST, GET, HEAD, OPTIONS"]);
  });
});

describe("where a request comes from", () => {
  const guess = async (deployment: MemoryDeps, headers: Record<string, string>) =>
    deployment.app.request(
      "/v1/tokens",
      jsonBody({ userId: "bob" }, { "x-api-key": "chatsdk_live_wrong", ...headers }),
    );
  const spoofed = ["x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip", "x-client-ip", "cf-connecting-ip"];

  it("W11 counts by no header that a client can set, off Cloudflare", async () => {
    for (let n = 0; n < 10; n++)
      await guess(memory, Object.fromEntries(spoofed.map((header) => [header, `10.0.0.${n}`])));
    expect((await guess(memory, { "x-forwarded-for": "10.9.9.9" })).status).toBe(429);
  });
  it("W11 counts by Cloudflare's own header where Cloudflare writes it, and by no other", async () => {
    const production = await createMemoryDeps({ ENVIRONMENT: "preview" });
    for (let n = 0; n < 10; n++)
      await guess(production, { "cf-connecting-ip": "203.0.113.7", "x-forwarded-for": `10.0.0.${n}` });
    expect((await guess(production, { "cf-connecting-ip": "203.0.113.7" })).status).toBe(429);
    expect((await guess(production, { "cf-connecting-ip": "203.0.113.8" })).status).toBe(401);
    await production.stop();
  });
});
