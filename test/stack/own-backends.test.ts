import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { reasonForNoPostgres, startRealPostgres } from "../support/real-postgres.ts";
import { reasonForNoRedis, startRealRedis } from "../support/real-redis.ts";
import { type Stack, startStack } from "../support/stack.ts";

const missing = [reasonForNoPostgres(), reasonForNoRedis()];
const [noPostgres, noRedis] = missing;
let postgres: Awaited<ReturnType<typeof startRealPostgres>> | undefined;
let redis: Awaited<ReturnType<typeof startRealRedis>> | undefined;
let stack: Stack | undefined;

beforeAll(async () => {
  if (noPostgres === undefined) postgres = await startRealPostgres();
  if (noRedis === undefined) redis = await startRealRedis();
  if (postgres === undefined && redis === undefined) return;
  stack = await startStack({
    ...(postgres !== undefined && { DATABASE_URL: postgres.databaseUrl }),
    ...(redis !== undefined && { REDIS_URL: redis.redisUrl }),
  });
});
beforeEach(({ skip }) => skip(stack === undefined, missing.join(", ")));
afterAll(async () => {
  await stack?.stop();
  await postgres?.stop();
  await redis?.stop();
});

async function exchange({ apiUrl, session }: Stack, user: string): Promise<number> {
  const headers = { authorization: `Bearer ${await session(user)}` };
  return (await fetch(`${apiUrl}/v1/token`, { method: "POST", headers })).status;
}

it("the stack uses the Postgres that DATABASE_URL names", async ({ skip }) => {
  if (stack === undefined || postgres === undefined) return skip(noPostgres ?? "");
  expect(await exchange(stack, "carol")).toBe(200);
  expect(stack.databaseUrl).toBe(postgres.databaseUrl);
  const client = new pg.Client({ connectionString: postgres.databaseUrl });
  await client.connect();
  // The user is written after the answer.
  const users = async () => (await client.query<{ id: string }>("select id from users")).rows;
  await expect.poll(users).toContainEqual({ id: "carol" });
  await client.end();
});

it("the stack uses the Redis that REDIS_URL names", async ({ skip }) => {
  if (stack === undefined || redis === undefined) return skip(noRedis ?? "");
  expect(await exchange(stack, "dave")).toBe(200);
  const client = new Redis(redis.redisUrl);
  await expect.poll(() => client.dbsize()).toBeGreaterThan(0);
  client.disconnect();
});

it("health finds both well", async () => {
  const reply = await fetch(`${stack?.apiUrl}/api/chat/health`);
  expect(await reply.json()).toMatchObject({ status: "healthy" });
});
