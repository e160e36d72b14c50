import { once } from "node:events";
import { parentPort, workerData } from "node:worker_threads";
import { type RedisServerOptions, startRedisServer } from "./redis-server.ts";
import type { RedisThreadNews } from "./redis-thread.ts";

// Runs as a thread: serves until it is told to close.
const options = workerData as RedisServerOptions; // as `startRedisThread` hands them over
const say = (news: RedisThreadNews): void => parentPort?.postMessage(news);
try {
  const server = await startRedisServer(options);
  say({ url: server.url });
  if (parentPort !== null) await once(parentPort, "message");
  await server.close();
  parentPort?.close();
} catch (error) {
  say({ failure: error instanceof Error ? error.message : String(error) });
}
