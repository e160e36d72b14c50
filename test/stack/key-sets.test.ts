import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BenchServer, bundleWorker, startWorkerd } from "../../bench/workerd.ts";
import { KeyServer, signWith } from "../support/key-server.ts";
import { sessionClaims, testKey } from "../support/memory-deps.ts";

const SLOW_MS = 400;

let code: string;
let keyServer: KeyServer;
let worker: BenchServer;
beforeAll(async () => {
  code = await bundleWorker(fileURLToPath(new URL("../support/exchange-worker.ts", import.meta.url)));
});
beforeEach(async () => {
  keyServer = await KeyServer.start(await testKey());
  keyServer.answer = (request, response) => void setTimeout(() => keyServer.serveKeys(request, response), SLOW_MS);
  worker = await startWorkerd(code, {
    ENVIRONMENT: "preview",
    PUBLIC_URL: "https://chat.example.com",
    CHAT_JWT_SECRET: "q8Zr3vKx0Lw7Ty2Bn5Mj9Hc4Fd6Gs1Pa",
    CLERK_JWT_ISSUER: "https://issuer.example.com",
    CLERK_JWKS_URL: `${keyServer.url}/jwks.json`,
    DATABASE_URL: "postgresql://nobody@localhost/none",
    UPSTASH_REDIS_REST_URL: "http://localhost:1",
    UPSTASH_REDIS_REST_TOKEN: "none",
  });
});
afterEach(() => Promise.all([worker.stop(), keyServer.stop()]));

async function exchange(sub: string, signal: AbortSignal | null = null): Promise<number> {
  const token = await signWith(await testKey(), sessionClaims(Date.now(), { sub }));
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${worker.url}/v1/token`, { method: "POST", headers, signal });
  await response.body?.cancel();
  return response.status;
}
const asked = (): Promise<void> =>
  new Promise((resolve) => {
    const check = (): void => void (keyServer.requests > 0 ? resolve() : setImmediate(check));
    check();
  });

// Requests on Workers may not wait for each other's work freely, so what holds in Node has to be shown there too.
describe("a cold isolate of the real runtime", () => {
  it("K11 fetches an issuer's keys once for 50 requests at once", async () => {
    const statuses = await Promise.all(Array.from({ length: 50 }, (_, n) => exchange(`user-${n}`)));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(keyServer.requests).toBe(1);
  });

  it("K11 serves who waits although the request that had asked is gone", async () => {
    const gone = new AbortController();
    const first = exchange("first", gone.signal).catch(() => "gone");
    await asked();
    const others = [exchange("second"), exchange("third")];
    gone.abort();
    expect(await first).toBe("gone");
    expect(await Promise.all(others)).toEqual([200, 200]);
    expect(keyServer.requests).toBe(1);
  });

  it("K05 gives up on an issuer that hangs after 2 s", async () => {
    keyServer.hang();
    const startedAt = performance.now();
    expect(await Promise.all([exchange("first"), exchange("second")])).toEqual([503, 503]);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(keyServer.requests).toBe(1);
  });
});
