import { once } from "node:events";
import type { RedisNews } from "./redis-process.ts";
import { type RedisServerOptions, startRedisServer } from "./redis-server.ts";

// Runs as a process: serves until whoever started it is gone.
process.once("disconnect", () => process.exit());
const say = (news: RedisNews): Promise<void> => new Promise((resolve) => process.send?.(news, () => resolve()));
const [options] = (await once(process, "message")) as [RedisServerOptions]; // as `startRedisProcess` sends them
try {
  const { url } = await startRedisServer(options);
  await say({ url });
} catch (error) {
  await say({ failure: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
