import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createRedis, type Redis } from "../../db/upstash.ts";
import { startRedisServer } from "../../dev/redis-server.ts";

const TOKEN = "local-redis-token";

export interface TestRedis {
  redis: Redis;
  close(): Promise<void>;
}

export interface BrokenRedis extends TestRedis {
  /** How many requests came in so far. */
  requests(): number;
}

/** The Redis of the local stack, or a real one, behind Upstash's protocol. */
export async function openRedis(redisUrl?: string): Promise<TestRedis> {
  const server = await startRedisServer({ token: TOKEN, redisUrl });
  return { redis: createRedis({ url: server.url, token: TOKEN, timeoutMs: 20_000 }), close: () => server.close() };
}

/** A Redis that fails in some way: refuses connections, never answers, or answers something else. */
export async function openBrokenRedis(way: BrokenWay, timeoutMs?: number): Promise<BrokenRedis> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    request.resume();
    if (way === "hangs" || way === "refuses") return;
    const [status, body] = ANSWERS[way];
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  const url = await listen(server);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  if (way === "refuses") await close();
  return {
    redis: createRedis({ url, token: TOKEN, timeoutMs }),
    requests: () => requests,
    close: way === "refuses" ? async () => {} : close,
  };
}

export type BrokenWay = "refuses" | "hangs" | keyof typeof ANSWERS;

const ANSWERS = {
  "answers 500": [500, "oops"],
  "answers a web page": [200, "<html>Sign in to the Wi-Fi</html>"],
  "answers something else": [200, '{"result":"aGVsbG8="}'],
  "answers nothing": [200, '{"result":null}'],
  "answers an error": [400, '{"error":"ERR max daily request limit exceeded"}'],
  "refuses the token": [401, '{"error":"WRONGPASS invalid or missing auth token"}'],
} as const satisfies Record<string, readonly [number, string]>;

export const BROKEN_WAYS: readonly BrokenWay[] = [
  "refuses",
  "hangs",
  ...(Object.keys(ANSWERS) as (keyof typeof ANSWERS)[]),
];

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
