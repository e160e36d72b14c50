import type { ApiKeyRecord } from "../../domain/ports/api-keys.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createApiKey, createKeyRing, isSameInConstantTime, verifyApiKey } from "../../domain/api-keys.ts";
import { ROUTES } from "../../functions/routes.ts";
import { APP, createMemoryDeps, type MemoryDeps, PAGE_ORIGIN } from "../support/memory-deps.ts";
import { jsonBody, problemOf } from "../support/requests.ts";

const PRODUCTION = {
  ENVIRONMENT: "production",
  PARTY_URL: "https://rooms.example.com",
  CLERK_AUTHORIZED_PARTIES: PAGE_ORIGIN,
  CLERK_JWKS_URL: "https://issuer.example.com/.well-known/jwks.json",
};

let memory: MemoryDeps;
beforeEach(async () => {
  memory = await createMemoryDeps();
});
afterEach(() => memory.stop());

const mint = async (body: unknown, headers: Record<string, string>): Promise<Response> =>
  memory.app.request("/v1/tokens", jsonBody(body, headers));

describe("API keys", () => {
  it("T10 answers every wrong key alike, and one that was right once", async () => {
    const good = await memory.apiKey();
    const [, , id = "", secret = ""] = good.split("_");
    const revoked = await memory.apiKey();
    await memory.deps.store.revokeApiKey(revoked.split("_")[2] ?? "", new Date(memory.clock.now()));
    const wrong = [
      "chatsdk_live_xxx",
      `chatsdk_live_${id}_${"A".repeat(43)}`,
      `chatsdk_live_aaaaaaaaaaaa_${secret}`,
      `chatsdk_test_${id}_${secret}`,
      `${good}A`,
      good.toUpperCase(),
      "",
      "undefined",
      revoked,
    ];
    const bodies = new Set<string>();
    for (const key of wrong) {
      const response = await mint({ userId: "bob" }, { "x-api-key": key });
      bodies.add(`${response.status} ${(await response.text()).replace(/"requestId":"[^"]*"/, "")}`);
    }
    expect(bodies.size).toBe(1);
    expect([...bodies][0]).toContain("invalid_api_key");
  });

  it("T10 stops an address after 10 wrong keys in a minute, right ones included, and lets it go on after", async () => {
    const good = await memory.apiKey();
    const tryKey = async (key: string) => mint({ userId: "bob" }, { "x-api-key": key });
    for (let n = 0; n < 10; n++) expect((await tryKey(`chatsdk_live_wrong${n}`)).status).toBe(401);
    const refused = await tryKey("chatsdk_live_wrong");
    expect(refused.headers.get("retry-after")).toBe("60");
    expect(await problemOf(refused)).toEqual({ status: 429, code: "rate_limited" });
    expect((await tryKey(good)).status).toBe(429);
    memory.clock.advance(60_000);
    expect((await tryKey(good)).status).toBe(200);
  });

  it("T10 asks the store once for an unknown id that is tried again and again", async () => {
    let asked = 0;
    const store = {
      findApiKey: async () => {
        asked += 1;
        return undefined;
      },
    };
    const ring = createKeyRing({ store, environment: "test", now: memory.clock.now });
    const { key } = await createApiKey(APP, "live", new Date());
    for (let n = 0; n < 5; n++)
      await expect(verifyApiKey(ring, key)).rejects.toMatchObject({ code: "invalid_api_key" });
    expect(asked).toBe(1);
    memory.clock.advance(5_000);
    await expect(verifyApiKey(ring, key)).rejects.toMatchObject({ code: "invalid_api_key" });
    expect(asked).toBe(2);
  });

  it("T11 keeps a hash only, and compares every character of it", async () => {
    const { key, record } = await createApiKey(APP, "live", new Date());
    const secret = key.slice(key.lastIndexOf("_") + 1);
    expect(JSON.stringify(record)).not.toContain(secret);
    expect(record.hash).toMatch(/^[0-9a-f]{64}$/);
    for (const hash of [
      `0${record.hash.slice(1)}x`,
      record.hash.slice(0, -1),
      `${record.hash}0`,
      "",
      flip(record.hash),
    ]) {
      const ring = ringWith({ ...record, hash });
      await expect(verifyApiKey(ring, key)).rejects.toMatchObject({ code: "invalid_api_key" });
    }
    expect(await verifyApiKey(ringWith(record), key)).toEqual({ app: APP, keyId: record.id });
  });

  it("T11 looks at every character of both hashes, wherever they differ", () => {
    const hash = "0123456789abcdef".repeat(4);
    const places = Array.from(hash, (_, at) => at);
    const others = places.map((at) => `${hash.slice(0, at)}x${hash.slice(at + 1)}`);
    for (const other of [hash, "x".repeat(64), ...others]) {
      const [left, right] = [watched(hash), watched(other)];
      expect(isSameInConstantTime(left, right)).toBe(other === hash);
      expect([left.seen, right.seen]).toEqual([places, places]);
    }
  });
  it("T11 takes no shorter or longer text for the same", () => {
    for (const other of ["", "ab", "abcd"]) expect(isSameInConstantTime("abc", other)).toBe(false);
    expect(isSameInConstantTime("abc", "abc")).toBe(true);
  });

  it("T11 makes keys of full entropy", async () => {
    const keys = await Promise.all(Array.from({ length: 200 }, () => createApiKey(APP, "live", new Date())));
    const text = keys.map(({ key }) => key.slice(key.lastIndexOf("_") + 1)).join("");
    expect(new Set(keys.map(({ key }) => key)).size).toBe(200);
    const counts = [...new Set(text)].map((letter) => text.split(letter).length - 1);
    expect(counts).toHaveLength(62);
    // 8,600 letters over 62: about 139 each, and far from it only if some came up more often.
    expect(Math.max(...counts)).toBeLessThan(210);
    expect(Math.min(...counts)).toBeGreaterThan(80);
  });

  it("T12 refuses a key in the address, in the body, and from a browser", async () => {
    const key = await memory.apiKey();
    for (const query of [`api_key=${key}`, `apiKey=${key}`, `X-API-Key=${key}`])
      expect((await memory.app.request(`/v1/tokens?${query}`, jsonBody({ userId: "bob" }))).status).toBe(401);
    expect((await mint({ userId: "bob", apiKey: key }, {})).status).toBe(401);
    expect((await mint({ userId: "bob", apiKey: key }, { "x-api-key": key })).status).toBe(400);
    const browser = await mint({ userId: "bob" }, { "x-api-key": key, origin: PAGE_ORIGIN });
    expect(await problemOf(browser)).toEqual({ status: 403, code: "key_in_browser" });
  });
  it.each(
    ROUTES.filter(({ auth }) => (auth as readonly string[]).includes("key")).map(
      ({ method, path }) => [method, path.replaceAll(/:\w+/g, "bob")] as const,
    ),
  )("T12 refuses a key from a browser on every route that takes one: %s %s", async (method, path) => {
    const production = await createMemoryDeps(PRODUCTION);
    const key = await production.apiKey();
    for (const origin of ["null", PAGE_ORIGIN]) {
      const headers = { "x-api-key": key, origin };
      const response = await production.app.request(path, { ...(method !== "GET" && jsonBody({})), method, headers });
      expect(await problemOf(response)).toEqual({ status: 403, code: "key_in_browser" });
    }
    await production.stop();
  });

  it("T13 stops a revoked key within 60 s", async () => {
    const key = await memory.apiKey();
    const ask = async () => (await mint({ userId: "bob" }, { "x-api-key": key })).status;
    expect(await ask()).toBe(200);
    const [, , id = ""] = key.split("_");
    await memory.deps.store.revokeApiKey(id, new Date(memory.clock.now()));
    memory.clock.advance(60_000);
    expect(await ask()).toBe(401);
  });

  it("T14 refuses a test key in production, by its own segment and not by chance letters", async () => {
    const production = await createMemoryDeps(PRODUCTION);
    const ask = async (key: string) =>
      (await production.app.request("/v1/tokens", jsonBody({ userId: "bob" }, { "x-api-key": key }))).status;
    expect(await ask(await production.apiKey("test"))).toBe(401);
    expect(await ask(await production.apiKey("live"))).toBe(200);
    await production.stop();
    const { record } = await createApiKey(APP, "live", new Date());
    const secret = `devtestdemo${"A".repeat(32)}`;
    const named = { ...record, hash: await sha256(secret) };
    const ring = createKeyRing({ ...ringWith(named), environment: "production" });
    expect(await verifyApiKey(ring, `chatsdk_live_${record.id}_${secret}`)).toEqual({ app: APP, keyId: record.id });
  });
});

function ringWith(record: ApiKeyRecord) {
  return createKeyRing({ store: { findApiKey: async () => record }, environment: "test", now: () => 0 });
}
/** A text that notes which of its characters were looked at. */
function watched(text: string): { length: number; charCodeAt: (at: number) => number; seen: number[] } {
  const seen: number[] = [];
  return {
    length: text.length,
    charCodeAt: (at) => {
      seen.push(at);
      return text.charCodeAt(at);
    },
    seen,
  };
}
function flip(hash: string): string {
  return hash.slice(0, -1) + (hash.endsWith("0") ? "1" : "0");
}
async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toString("hex");
}
