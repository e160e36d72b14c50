import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { RedisServer, RedisServerOptions } from "./redis-server.ts";

/** What the thread says once: where it listens, or why it does not. */
export type RedisThreadNews = { url: string } | { failure: string };

/**
 * Starts the Upstash server in a thread of its own. A limit waits for Redis 250 ms and no longer, and the database in this
 * process can keep it busy for longer than that.
 */
export async function startRedisThread(options: RedisServerOptions): Promise<RedisServer> {
  // Flags of this process are its own, those of a test runner above all.
  const thread = new Worker(new URL("./redis-thread-main.ts", import.meta.url), { workerData: options, execArgv: [] });
  const ended = once(thread, "exit");
  const news = await Promise.race([
    once(thread, "message").then((sent: unknown[]) => sent[0] as RedisThreadNews), // all it ever sends
    ended.then((): RedisThreadNews => ({ failure: "the thread ended before it listened" })),
  ]);
  if ("failure" in news) throw new Error(news.failure);
  return {
    url: news.url,
    close: async () => {
      thread.postMessage("close");
      await ended;
    },
  };
}
