import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from "jose";
import { afterEach, expect, it } from "vitest";
import { type Issuer, type SessionRequest, startIssuer } from "../../dev/issuer.ts";

const PAGE = "http://127.0.0.1:8787";
const open: Issuer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((issuer) => issuer.close()));
});

async function start(dataDir?: string): Promise<Issuer> {
  const issuer = await startIssuer({ pageOrigin: PAGE, ...(dataDir !== undefined && { dataDir }) });
  open.push(issuer);
  return issuer;
}
const keySet = async ({ url }: Issuer) => (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
const post = (url: string, body?: unknown) => fetch(url, { method: "POST", body: JSON.stringify(body) });
async function session({ url }: Issuer, request: SessionRequest): Promise<string> {
  const reply = (await (await post(`${url}/session`, request)).json()) as { token: string };
  return reply.token;
}
const verify = async (issuer: Issuer, token: string) =>
  await jwtVerify(token, createLocalJWKSet(await keySet(issuer)), { issuer: issuer.url, algorithms: ["RS256"] });

it("signs sessions that verify against its published keys, with the claims Clerk sets", async () => {
  const issuer = await start();
  const { payload, protectedHeader } = await verify(issuer, await session(issuer, { user: "alice", name: "Alice" }));
  expect(protectedHeader).toMatchObject({ alg: "RS256", typ: "JWT" });
  expect(payload).toMatchObject({ sub: "alice", name: "Alice", azp: PAGE, sid: expect.stringMatching(/^sess_/) });
  expect(payload.exp! - payload.iat!).toBe(3_600);
});

it("publishes only public RSA keys, and where they are", async () => {
  const issuer = await start();
  const discovery = await (await fetch(`${issuer.url}/.well-known/openid-configuration`)).json();
  expect(discovery).toMatchObject({ issuer: issuer.url, jwks_uri: `${issuer.url}/.well-known/jwks.json` });
  const { keys } = await keySet(issuer);
  expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([["alg", "e", "kid", "kty", "n", "use"]]);
});

it("K01 signs with a new key after a rotation and publishes the old one until the next", async () => {
  const issuer = await start();
  const before = await session(issuer, { user: "alice" });
  await post(`${issuer.url}/rotate`);
  const after = await session(issuer, { user: "alice" });
  expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid);
  await verify(issuer, before);
  await verify(issuer, after);
  await post(`${issuer.url}/rotate`);
  await expect(verify(issuer, before)).rejects.toMatchObject({ code: "ERR_JWKS_NO_MATCHING_KEY" });
  await verify(issuer, after);
});

it("K02 drops the old key at once when asked to", async () => {
  const issuer = await start();
  const before = await session(issuer, { user: "alice" });
  await post(`${issuer.url}/rotate?drop=1`);
  await expect(verify(issuer, before)).rejects.toMatchObject({ code: "ERR_JWKS_NO_MATCHING_KEY" });
});

it("keeps its keys over a restart, readable only by their owner", async () => {
  const dir = await mkdtemp(join(tmpdir(), "parley-issuer-"));
  const first = await start(dir);
  const keys = await keySet(first);
  expect(await keySet(await start(dir))).toEqual(keys);
  expect((await stat(join(dir, "issuer-keys.json"))).mode & 0o777).toBe(0o600);
  await rm(dir, { recursive: true });
});

it("makes expired sessions, adds claims and leaves claims out on request", async () => {
  const issuer = await start();
  const expired = await session(issuer, { user: "alice", ttlSeconds: -60 });
  await expect(verify(issuer, expired)).rejects.toMatchObject({ code: "ERR_JWT_EXPIRED" });
  const claims = { azp: "https://evil.example", name: null, org: "x" };
  const { payload } = await verify(issuer, await session(issuer, { user: "alice", claims }));
  expect(payload).toMatchObject({ azp: "https://evil.example", org: "x" });
  expect(payload).not.toHaveProperty("name");
});

it("refuses a session without a proper user", async () => {
  const issuer = await start();
  for (const body of [undefined, {}, { user: "" }, { user: "a b" }, { user: "alice", role: "admin" }])
    expect((await post(`${issuer.url}/session`, body)).status).toBe(400);
});

it("W03 lets pages of this machine call it and no other site", async () => {
  const { url } = await start();
  const allowed = async (origin: string) =>
    (await fetch(`${url}/session`, { method: "OPTIONS", headers: { origin } })).headers.get(
      "access-control-allow-origin",
    );
  expect(await allowed(PAGE)).toBe(PAGE);
  expect(await allowed("http://localhost:3000")).toBe("http://localhost:3000");
  expect(await allowed("https://evil.example")).toBeNull();
  expect(await allowed("http://127.0.0.1.evil.example")).toBeNull();
  const foreign = { method: "POST", headers: { origin: "https://evil.example" } };
  expect((await fetch(`${url}/rotate`, foreign)).status).toBe(403);
});
