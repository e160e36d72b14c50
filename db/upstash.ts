import * as z from "zod/mini";
import type { Probe } from "../domain/ports/store.ts";
import { ChatError } from "../protocol/errors.ts";

export interface RedisOptions {
  url: string;
  token: string;
  /** How long one request may take; 1 s when left out. */
  timeoutMs?: number | undefined;
}

/** A command's name and its arguments. */
export type Command = readonly [name: string, ...args: (string | number)[]];

/** Sends commands. Every failure is a `ChatError` `storage_unavailable`; its `cause` says what Redis said, not what was sent. */
export interface Redis {
  send(command: Command): Promise<unknown>;
  /** Sends many in one request, each on its own: others may come in between. Fails when any of them does. */
  sendAll(commands: readonly Command[]): Promise<unknown[]>;
}

const TIMEOUT_MS = 1_000;

const Reply = z.union([z.object({ error: z.string() }), z.object({ result: z.unknown() })]);
const Replies = z.union([z.object({ error: z.string() }), z.array(Reply)]);

/**
 * Opens Redis over Upstash's REST protocol (https://upstash.com/docs/redis/features/restapi). Nothing is kept open, so it
 * needs no closing. A request is sent once: whoever waits would rather go on without Redis than wait for a second try.
 * `@upstash/redis` speaks the same but brings every command there is, a seventh of what the Worker may weigh.
 */
export function createRedis({ url, token, timeoutMs = TIMEOUT_MS }: RedisOptions): Redis {
  const base = url.replace(/\/+$/, "");
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const response = await fetch(`${base}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      redirect: "manual", // the token is for this address only
      signal: AbortSignal.timeout(timeoutMs),
    });
    return await response.json(); // a refusal too is JSON, and says why
  };
  return {
    send: (command) => orUnavailable(async () => resultOf(z.parse(Reply, await post("/", command)))),
    sendAll: (commands) =>
      orUnavailable(async () => {
        const replies = z.parse(Replies, await post("/pipeline", commands));
        if ("error" in replies) throw new Error(replies.error);
        if (replies.length !== commands.length) throw new Error("Redis answers another number of commands");
        return replies.map(resultOf);
      }),
  };
}

/** Asks Redis for a sign of life. */
export function createRedisProbe(redis: Redis): Probe {
  return {
    async ping(signal) {
      const answer = await orUnavailable(() => Promise.race([redis.send(["ping"]), rejectionOf(signal)]));
      if (answer !== "PONG")
        throw new ChatError("storage_unavailable", { cause: new Error("Redis does not say PONG") });
    },
  };
}

function resultOf(reply: z.output<typeof Reply>): unknown {
  if ("error" in reply) throw new Error(reply.error);
  return reply.result;
}

async function orUnavailable<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof ChatError ? cause : new ChatError("storage_unavailable", { cause });
  }
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(new DOMException("The ping was given up", "AbortError"));
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}
