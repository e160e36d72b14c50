import { fork } from "node:child_process";
import { once } from "node:events";
import type { RedisServer, RedisServerOptions } from "./redis-server.ts";

/** What the process says once: where it listens, or why it does not. */
export type RedisNews = { url: string } | { failure: string };

/**
 * Starts the Upstash server in a process of its own. A limit waits for Redis 250 ms and no longer, and the database in this
 * process can keep it busy for longer than that. A thread would do, but Node may wait for ever for one that has had its
 * connections cut.
 */
export async function startRedisProcess(options: RedisServerOptions): Promise<RedisServer> {
  const child = fork(new URL("./redis-main.ts", import.meta.url), {
    execArgv: [], // flags of this process are its own, those of a test runner above all
    detached: true, // a Ctrl-C in the terminal does not reach it: it is asked until the others have stopped
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  child.send(options, () => undefined); // who ended before that is told below
  const news = await Promise.race([
    once(child, "message").then((sent: unknown[]) => sent[0] as RedisNews), // all it ever sends
    ended.then((): RedisNews => ({ failure: "the process ended before it listened" })),
  ]);
  if ("failure" in news) {
    await ended;
    throw new Error(news.failure);
  }
  return {
    url: news.url,
    close: async () => {
      child.kill("SIGKILL"); // nothing of it is kept
      await ended;
    },
  };
}
