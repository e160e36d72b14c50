import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { selectEvents } from "../../db/history.ts";
import { migrate } from "../../db/migrate.ts";
import { createPostgresStore } from "../../db/postgres-store.ts";
import type { Store } from "../../domain/ports/store.ts";
import { batchOf, channelOf, eventsOf, newApp, room } from "./contract/opened-store.ts";
import { openLocalDatabase, type TestDatabase } from "./databases.ts";

let database: TestDatabase;
let store: Store;
beforeAll(async () => {
  database = await openLocalDatabase();
  await migrate(database);
  store = createPostgresStore(database);
}, 60_000);
afterAll(async () => database.close());

describe("history in Postgres", () => {
  it("leaves out kinds this version does not know, without ending a page early", async () => {
    const app = newApp();
    await store.writeBatch(batchOf(app, { events: eventsOf(1, 9) }));
    await database.query("update events set kind = 'reaction' where app = $1 and seq in (2, 4, 5, 6, 9)", [app]);
    const seqsOf = async (range: { after?: number; before?: number }) =>
      (await store.listEvents(app, room("general"), { ...range, limit: 3 })).map(({ seq }) => seq);
    expect(await seqsOf({})).toEqual([3, 7, 8]);
    expect(await seqsOf({ after: 0 })).toEqual([1, 3, 7]);
    expect(await seqsOf({ before: 7 })).toEqual([1, 3]);
  });

  it("walks the primary key, in either direction", async () => {
    const app = newApp();
    await database.query(
      `insert into events (app, channel_id, seq, epoch, kind, id, user_id, username, content, created_at)
       select $1, 'general', seq, 'e', 'message', seq::text, 'alice', 'Alice', 'Hello', now()
       from generate_series(1, 20000) as seq`,
      [app],
    );
    await database.query("analyze events");
    for (const range of [{ before: 9_000 }, { after: 9_000 }]) {
      const { text, params } = selectEvents(app, room("general"), { ...range, limit: 50 });
      const rows = await database.query(`explain ${text}`, [...params]);
      const plan = rows.map((row) => String(row["QUERY PLAN"])).join("\n");
      expect(plan).toMatch(/Index Scan (Backward )?using events_app_channel_id_seq_pk/);
      expect(plan).not.toContain("Sort");
    }
  });
});

describe("a batch whose answer gets lost", () => {
  /** Passes requests on to the database, and never tells what came of it. */
  async function openForgetfulWay() {
    let passedOn = 0;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
          name.startsWith("neon-") && typeof value === "string" ? [[name, value]] : [],
        );
        void fetch(database.fetchEndpoint, { method: "POST", headers, body: Buffer.concat(chunks) }).then(() => {
          passedOn++;
          response.destroy();
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const fetchEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sql`;
    return { fetchEndpoint, passedOn: () => passedOn, close: () => server.close() };
  }

  it("D03 is written once, however often it is tried", async () => {
    const app = newApp();
    await store.createChannel(channelOf(app));
    const way = await openForgetfulWay();
    const forgetful = createPostgresStore({ databaseUrl: database.databaseUrl, fetchEndpoint: way.fetchEndpoint });
    const batch = batchOf(app, { events: eventsOf(1, 5) });
    for (let attempt = 0; attempt < 3; attempt++)
      await expect(forgetful.writeBatch(batch)).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(way.passedOn()).toBe(3);
    await store.writeBatch(batch);
    expect(await store.listEvents(app, room("general"), { limit: 100 })).toEqual(eventsOf(1, 5));
    expect(await store.findChannel(app, room("general"))).toMatchObject({ headSeq: 5 });
    way.close();
  });
});
