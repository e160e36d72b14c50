import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readBearer } from "../../domain/socket-auth.ts";
import { UserId } from "../../protocol/ids.ts";
import { alice, createMemoryDeps, type MemoryDeps } from "../support/memory-deps.ts";
import { bearer, problemOf } from "../support/requests.ts";

let memory: MemoryDeps;
beforeEach(async () => {
  memory = await createMemoryDeps();
});
afterEach(() => memory.stop());

const get = async (path: string, init?: RequestInit): Promise<Response> => memory.app.request(path, init);

describe("how a token is brought", () => {
  let token: string;
  let session: string;
  beforeEach(async () => {
    token = await memory.chatToken("rest", alice);
    session = await memory.session();
  });
  it.each(["Bearer", "bearer", "BEARER"])("T19 takes one token after %s", async (scheme) => {
    expect((await get("/v1/channels", { headers: { authorization: `${scheme} ${token}` } })).status).toBe(200);
  });
  it.each<[string, (token: string) => [string, string][]]>([
    [
      "two headers",
      (one) => [
        ["authorization", `Bearer ${one}`],
        ["authorization", `Bearer ${one}`],
      ],
    ],
    ["two in one header", (one) => [["authorization", `Bearer ${one}, Bearer ${one}`]]],
    ["two spaces", (one) => [["authorization", `Bearer  ${one}`]]],
    ["a tab", (one) => [["authorization", `Bearer\t${one}`]]],
    ["no scheme", (one) => [["authorization", one]]],
    ["Basic", (one) => [["authorization", `Basic ${btoa(`user:${one}`)}`]]],
    ["Token", (one) => [["authorization", `Token ${one}`]]],
    ["a parameter", (one) => [["authorization", `Bearer token="${one}"`]]],
    ["quotes", (one) => [["authorization", `Bearer "${one}"`]]],
    ["nothing", () => [["authorization", "Bearer"]]],
    ["a cookie", (one) => [["cookie", `__session=${one}; token=${one}`]]],
    ["another header", (one) => [["x-access-token", one]]],
  ])("T19 refuses %s", async (_, headersOf) => {
    for (const [path, method, one] of [
      ["/v1/channels", "GET", token],
      ["/v1/token", "POST", session],
    ] as const)
      expect((await get(path, { method, headers: headersOf(one) })).status).toBe(401);
  });

  it("T19 says the same of a header that is not one token over HTTP as at a socket", async () => {
    for (const authorization of ["Bearer", `Basic ${btoa("alice:pw")}`, `Bearer ${token}, Bearer ${token}`]) {
      const response = await get("/v1/channels", { headers: { authorization } });
      expect(await problemOf(response)).toEqual({ status: 401, code: "token_malformed" });
      expect(() => readBearer(authorization)).toThrow(expect.objectContaining({ code: "token_malformed" }));
    }
    expect(await problemOf(await get("/v1/channels"))).toEqual({ status: 401, code: "token_missing" });
  });

  it.each(["token", "access_token", "id_token", "jwt", "Token"])("T20 refuses a token as ?%s=", async (name) => {
    const alone = await get(`/v1/channels?${name}=${token}`);
    expect(await problemOf(alone)).toEqual({ status: 401, code: "token_missing" });
    expect((await get(`/v1/channels?limit=1&${name}=${token}`, bearer(token))).status).toBe(401);
    expect((await get(`/v1/token?${name}=${session}`, { method: "POST", ...bearer(session) })).status).toBe(401);
  });
  it("T20 leaves no token in a log line", async () => {
    const logging = await createMemoryDeps({ ENABLE_LOGGING: "true" });
    const good = await logging.chatToken("rest");
    await logging.app.request(`/v1/channels?token=${good}`, bearer(good));
    await logging.app.request(`/v1/users/${good}/presence`, bearer(good));
    expect(logging.lines).toHaveLength(2);
    expect(logging.lines.join("\n")).not.toContain(good.slice(0, 20));
    await logging.stop();
  });
});

describe("chat tokens", () => {
  let deployment: MemoryDeps;
  beforeEach(async () => {
    deployment = await createMemoryDeps();
  });
  afterEach(() => deployment.stop());

  it("J08 S3-8 end when they say, and not before", async () => {
    const token = await deployment.chatToken("rest", UserId.parse("dora"));
    const ask = async () => deployment.app.request("/v1/channels", bearer(token));
    deployment.clock.advance(3_599_000);
    expect((await ask()).status).toBe(200);
    deployment.clock.advance(6_001);
    expect(await problemOf(await ask())).toEqual({ status: 401, code: "token_expired" });
  });
  it("J12 are refused by another deployment with the same secret", async () => {
    const elsewhere = await createMemoryDeps({ PUBLIC_URL: "https://elsewhere.example.com" });
    const foreign = await elsewhere.chatToken("rest");
    const response = await memory.app.request("/v1/channels", bearer(foreign));
    expect(await problemOf(response)).toEqual({ status: 401, code: "wrong_issuer" });
    await elsewhere.stop();
  });
});
