import { Agent, request } from "node:http";
import type { BenchServer } from "./workerd.ts";

export interface LoadShape {
  path: string;
  method: "GET" | "POST";
  /** The headers of the n-th request. */
  headers: (n: number) => Record<string, string>;
  requests: number;
  /** Requests under way at once. */
  concurrency: number;
}

export interface LoadResult {
  requests: number;
  failures: number;
  /** Of the server's process, for these requests alone. */
  cpuSeconds: number;
  perCpuSecond: number;
}

/** Sends a fixed number of requests over kept-alive connections and reads what they cost the server. */
export async function load(server: BenchServer, shape: LoadShape): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: shape.concurrency });
  const before = await server.cpuSeconds();
  let next = 0;
  let failures = 0;
  const worker = async (): Promise<void> => {
    while (next < shape.requests) {
      const status = await send(agent, server.url, shape, next++);
      if (status !== 200) failures++;
    }
  };
  await Promise.all(Array.from({ length: shape.concurrency }, worker));
  agent.destroy();
  const cpuSeconds = (await server.cpuSeconds()) - before;
  return { requests: shape.requests, failures, cpuSeconds, perCpuSecond: shape.requests / cpuSeconds };
}

function send(agent: Agent, url: string, shape: LoadShape, n: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url + shape.path,
      { agent, method: shape.method, headers: shape.headers(n) },
      (incoming) => {
        incoming.resume();
        incoming.on("end", () => resolve(incoming.statusCode ?? 0));
        incoming.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** The middle one; of an even number, the lower middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
