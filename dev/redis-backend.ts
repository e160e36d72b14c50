import { Redis } from "ioredis";
import RedisMock from "ioredis-mock";
import { ScriptBook } from "./redis-scripts.ts";

/** Runs commands and answers what Redis would put on the wire: strings, numbers, null, arrays. */
export interface RedisBackend {
  run(command: readonly string[]): Promise<unknown>;
  /** Runs all or none, with no other command in between. */
  runTogether(commands: readonly (readonly string[])[]): Promise<unknown[]>;
  close(): Promise<void>;
}

/** A real Redis. Commands fail at once while it cannot be reached, instead of waiting for it. */
export async function connectRedis(redisUrl: string): Promise<RedisBackend> {
  const redis = new Redis(redisUrl, { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 1 });
  redis.on("error", () => undefined); // each command reports its own failure
  await redis.connect();
  const scripts = new ScriptBook();
  return {
    run: async (command) => {
      const [name = "", ...args] = scripts.translate(command);
      return onTheWire(await redis.call(name, ...args));
    },
    runTogether: async (commands) => {
      const transaction = redis.multi();
      for (const [name = "", ...args] of commands.map((command) => scripts.translate(command)))
        transaction.call(name, ...args);
      const results = (await transaction.exec()) ?? [];
      return results.map(([error, value]) => error ?? onTheWire(value));
    },
    close: async () => {
      redis.disconnect();
    },
  };
}

/** A Redis in this process. Nothing is kept when the process ends. */
export function createMemoryRedis(): RedisBackend {
  // Mocks of one address share their data.
  const redis = new RedisMock({ host: crypto.randomUUID() });
  const scripts = new ScriptBook();
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
  const run = async (command: readonly string[]) => {
    await requireInteger(redis, command);
    return onTheWire(await callMock(redis, withUpperCaseOptions(scripts.translate(command))));
  };
  return {
    run: (command) => inOrder(() => run(command)),
    runTogether: (commands) =>
      inOrder(async () => {
        const results: unknown[] = [];
        for (const command of commands) results.push(await run(command).catch((error: unknown) => error));
        return results;
      }),
    close: async () => {
      await redis.flushall();
      redis.disconnect();
    },
  };
}

async function callMock(redis: Redis, [name = "", ...args]: readonly string[]): Promise<unknown> {
  const method = (redis as unknown as Record<string, unknown>)[name.toLowerCase()]; // the mock has no `call`
  if (typeof method !== "function" || !/^[a-z]+$/i.test(name)) throw new Error(`ERR unknown command '${name}'`);
  return await (method as (...args: string[]) => Promise<unknown>).apply(redis, args);
}

/** The mock counts on from text to NaN, where Redis refuses. */
async function requireInteger(redis: Redis, [name = "", key = ""]: readonly string[]): Promise<void> {
  if (!/^(incr|decr|incrby|decrby)$/i.test(name)) return;
  const value = await redis.get(key);
  if (value !== null && !/^-?\d+$/.test(value)) throw new Error("ERR value is not an integer or out of range");
}

/** The mock knows the options of SET in upper case only. */
function withUpperCaseOptions(command: readonly string[]): readonly string[] {
  const [name = "", key = "", value = "", ...options] = command;
  if (name.toLowerCase() !== "set") return command;
  return [name, key, value, ...options.map((option) => option.toUpperCase())];
}

/** Undoes what the client library makes of replies: only `hgetall` comes back as an object. */
function onTheWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(onTheWire);
  if (Buffer.isBuffer(value)) return value.toString("utf8");
  if (typeof value === "object" && value !== null) return Object.entries(value).flat();
  return value ?? null;
}
