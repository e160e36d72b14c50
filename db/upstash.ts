import { Redis } from "@upstash/redis/cloudflare";
import type { Probe } from "../domain/ports.ts";
import { ChatError } from "../protocol/errors.ts";

export interface RedisOptions {
  url: string;
  token: string;
  /** How long one request may take; 1 s when left out. */
  timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 1_000;

/**
 * Opens Redis over Upstash's REST protocol. Nothing is kept open, so it needs no closing. A request is sent once: whoever
 * waits behind this would rather go on without Redis than wait for a second try.
 */
export function createRedis({ url, token, timeoutMs = TIMEOUT_MS }: RedisOptions): Redis {
  return new Redis({
    url,
    token,
    // A function, because with a plain signal the client answers "Aborted" as if Redis had said it.
    signal: () => AbortSignal.timeout(timeoutMs),
    retry: { retries: 0 },
    automaticDeserialization: false, // a user called "123" must not become a number
    enableTelemetry: false,
    readYourWrites: false,
  });
}

export function createRedisProbe(redis: Redis): Probe {
  return {
    async ping(signal) {
      const answer = await orUnavailable(Promise.race([redis.ping(), rejectionOf(signal)]));
      if (answer !== "PONG") throw new ChatError("storage_unavailable", { detail: "Redis answers something else" });
    },
  };
}

/** Turns whatever Redis or the way to it did into `ChatError` `storage_unavailable`; what it was is in the `cause`. */
export async function orUnavailable<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw new ChatError("storage_unavailable", { cause: new Error(reasonOf(error)) });
  }
}

// The client's errors go on with the whole command, users and all, and a cause may be logged.
function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.split(", command was:", 1).join("")}` : "unknown";
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(new DOMException("The ping was given up", "AbortError"));
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}
