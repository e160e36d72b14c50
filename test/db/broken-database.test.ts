import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPostgresStore } from "../../db/postgres-store.ts";
import type { Store } from "../../domain/ports/store.ts";
import { ChatError } from "../../protocol/errors.ts";
import { batchOf, channelOf, eventOf, newApp, room, user } from "./contract/opened-store.ts";
import { openLocalDatabase, type TestDatabase } from "./databases.ts";

const DATABASE_URL = "postgresql://alice:canary-password@db.example.com/chat";
const TIMEOUT_MS = 100;

const ANSWERS: Record<string, readonly [number, string]> = {
  "answers 500": [500, "canary-stack at db.example.com"],
  "answers a web page": [200, "<html>Sign in to the Wi-Fi</html>"],
  "answers something else": [200, '{"fields":[],"rows":"none"}'],
  "answers other rows": [200, '{"fields":[{"name":"id","dataTypeID":25}],"rows":[["x"]]}'],
  "answers no rows": [200, '{"fields":[],"rows":[]}'],
  "refuses the password": [400, '{"message":"password authentication failed for canary-password","code":"28P01"}'],
  "has no tables yet": [400, '{"message":"relation \\"channels\\" does not exist","code":"42P01"}'],
  hangs: [0, ""],
  "hangs in the middle of its answer": [200, '{"fields":['],
};

const REQUESTS: Record<string, (store: Store) => Promise<unknown>> = {
  createChannel: (store) => store.createChannel(channelOf(newApp())),
  listMembers: (store) => store.listMembers(newApp(), room("general"), 10),
  countChannels: (store) => store.countChannels(newApp(), user("alice")),
  upsertUser: (store) => store.upsertUser(newApp(), { id: user("alice") }),
  writeBatch: (store) => store.writeBatch(batchOf(newApp(), { events: [eventOf(1), eventOf(2)] })),
};

describe.each(Object.keys(ANSWERS))("a database that %s", (way) => {
  const [status, body] = ANSWERS[way]!;
  const server = createServer((request, response) => {
    request.resume();
    if (way === "hangs") return;
    response.writeHead(status, { "content-type": "application/json" });
    if (way === "hangs in the middle of its answer") response.write(body);
    else response.end(body);
  });
  let store: Store;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const fetchEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sql`;
    store = createPostgresStore({ databaseUrl: DATABASE_URL, fetchEndpoint, timeoutMs: TIMEOUT_MS });
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  it.each(Object.keys(REQUESTS))(
    "D02 is unavailable to %s, in time and without a word of what it said",
    async (name) => {
      const startedAt = performance.now();
      const error: unknown = await REQUESTS[name]!(store).catch((thrown: unknown) => thrown);
      expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS + 1_000);
      expect(error).toBeInstanceOf(ChatError);
      expect(error).toMatchObject({ code: "storage_unavailable" });
      expect((error as Error).cause).toBeInstanceOf(Error);
      expect((error as Error).message).not.toMatch(/canary|example\.com|channels/);
    },
  );
});

describe("a database", () => {
  it("D01 that cannot be reached is unavailable", async () => {
    const store = createPostgresStore({ databaseUrl: DATABASE_URL, fetchEndpoint: "http://127.0.0.1:1/sql" });
    await expect(store.listChannels(newApp(), user("alice"), { limit: 1 })).rejects.toMatchObject({
      code: "storage_unavailable",
    });
  });

  it("that has no address is unavailable", async () => {
    const store = createPostgresStore({ databaseUrl: "" });
    await expect(store.findApiKey("x")).rejects.toMatchObject({ code: "storage_unavailable" });
  });

  it("gives a ping up when whoever asked does", async () => {
    const server = createServer((request) => request.resume());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const fetchEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sql`;
    const store = createPostgresStore({ databaseUrl: DATABASE_URL, fetchEndpoint });
    const startedAt = performance.now();
    await expect(store.ping(AbortSignal.timeout(50))).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    server.closeAllConnections();
    server.close();
  });
});

describe("two databases in one process", () => {
  let databases: TestDatabase[] = [];
  beforeAll(async () => {
    databases = await Promise.all([openLocalDatabase(), openLocalDatabase()]);
  }, 60_000);
  afterAll(async () => {
    for (const database of databases) await database.close();
  });

  it("never answer for each other, however their requests are mixed", async () => {
    const stores = databases.map((database) => createPostgresStore({ ...database, databaseUrl: database.databaseUrl }));
    for (const [index, { query }] of databases.entries()) {
      await query(
        "create table api_keys (id text, app text, environment text, hash text, created_at timestamptz, revoked_at timestamptz)",
      );
      await query("insert into api_keys values ('k', $1, 'live', '', now(), null)", [`app-${index}`]);
    }
    const asked = Array.from({ length: 40 }, (_, index) => stores[index % 2]!.findApiKey("k"));
    const apps = (await Promise.all(asked)).map((key) => key?.app);
    expect(apps).toEqual(Array.from({ length: 40 }, (_, index) => `app-${index % 2}`));
  });
});
