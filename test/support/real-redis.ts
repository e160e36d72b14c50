import { spawn } from "node:child_process";
import { Redis } from "ioredis";
import { findBinary, requireBinary } from "./binaries.ts";
import { freePort } from "../../dev/free-port.ts";

/** Why a real Redis cannot be started on this machine; undefined when it can. */
export function reasonForNoRedis(): string | undefined {
  return findBinary("redis-server") === undefined ? "no redis-server on the PATH" : undefined;
}

/** Starts a Redis of its own, empty, on a free port, that writes nothing to disk. */
export async function startRealRedis(): Promise<{ redisUrl: string; stop(): Promise<void> }> {
  const port = await freePort();
  const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const child = spawn(requireBinary("redis-server"), options, { stdio: "ignore" });
  const redisUrl = `redis://127.0.0.1:${port}`;
  const client = new Redis(redisUrl, { retryStrategy: () => 50, maxRetriesPerRequest: 100 });
  client.on("error", () => undefined); // not up yet
  await client.ping();
  client.disconnect();
  return {
    redisUrl,
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}
