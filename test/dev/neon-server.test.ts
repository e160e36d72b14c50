import { neon, neonConfig, type NeonQueryFunction } from "@neondatabase/serverless";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../dev/database.ts";
import { startNeonServer } from "../../dev/neon-server.ts";
import { openPostgresDoor } from "../../dev/postgres-door.ts";
import { reasonForNoPostgres, startRealPostgres } from "../support/real-postgres.ts";

interface Postgres {
  databaseUrl: string;
  stop(): Promise<void>;
}

async function startLocalDatabase(): Promise<Postgres> {
  const database = await openDatabase();
  const door = await openPostgresDoor(database, { password: "local-password" });
  return {
    databaseUrl: door.databaseUrl,
    stop: async () => {
      await door.close();
      await database.close();
    },
  };
}

describeNeonServer("the local database", startLocalDatabase, undefined);
describeNeonServer("a real Postgres", startRealPostgres, reasonForNoPostgres());

function describeNeonServer(label: string, start: () => Promise<Postgres>, missing: string | undefined) {
  describe(`Neon's protocol in front of ${label}`, () => {
    let postgres: Postgres;
    let server: Awaited<ReturnType<typeof startNeonServer>>;
    let sql: NeonQueryFunction<false, false>;
    beforeEach(({ skip }) => skip(missing !== undefined, missing));
    beforeAll(async () => {
      if (missing !== undefined) return;
      postgres = await start();
      server = await startNeonServer({ databaseUrl: postgres.databaseUrl });
      neonConfig.fetchEndpoint = server.fetchEndpoint;
      sql = neon(postgres.databaseUrl);
      await sql`create table items (id int primary key, note text not null default 'new')`;
    }, 60_000);
    afterAll(async () => {
      await server?.close();
      await postgres?.stop();
    });

    it("reads every common type as the driver expects it", async () => {
      const [row] = await sql`select
        9007199254740993::int8 as big, 7::int4 as four, 2.5::float8 as float, 12.30::numeric as exact, true as yes,
        '2026-11-21T08:00:00.123Z'::timestamptz as at, '2026-11-21'::date as day, '{"a":[1,null]}'::jsonb as data,
        array['x','y,"z'] as texts, array[1,2]::int4[] as numbers, null::text as nothing, '\\x00ff'::bytea as bytes,
        '6e8c0a52-6a53-4f1d-9b5a-0d7c2a1f3f10'::uuid as id, 'ünï 👋' as words`;
      expect(row).toEqual({
        big: "9007199254740993",
        four: 7,
        float: 2.5,
        exact: "12.30",
        yes: true,
        at: new Date("2026-11-21T08:00:00.123Z"),
        day: new Date(2026, 10, 21),
        data: { a: [1, null] },
        texts: ["x", 'y,"z'],
        numbers: [1, 2],
        nothing: null,
        bytes: Buffer.from([0x00, 0xff]),
        id: "6e8c0a52-6a53-4f1d-9b5a-0d7c2a1f3f10",
        words: "ünï 👋",
      });
    });

    it("takes parameters of every common type", async () => {
      const [row] = await sql`select ${5}::int8 as big, ${true}::bool as yes, ${null}::text as nothing,
        ${JSON.stringify({ a: 1 })}::jsonb as data, ${["a", "b"]}::text[] as texts,
        ${new Date("2026-01-02T03:04:05Z")}::timestamptz as at, ${Buffer.from([1, 2])}::bytea as bytes,
        ${"'; drop table items; --"}::text as words`;
      expect(row).toEqual({
        big: "5",
        yes: true,
        nothing: null,
        data: { a: 1 },
        texts: ["a", "b"],
        at: new Date("2026-01-02T03:04:05Z"),
        bytes: Buffer.from([1, 2]),
        words: "'; drop table items; --",
      });
    });

    it("answers command, row count and fields", async () => {
      const full = await sql.query("insert into items (id) values ($1), ($2) returning id, note", [1, 2], {
        fullResults: true,
      });
      expect(full).toMatchObject({ command: "INSERT", rowCount: 2, rows: [{ id: 1, note: "new" }, { id: 2 }] });
      expect(full.fields.map(({ name, dataTypeID }) => [name, dataTypeID])).toEqual([
        ["id", 23],
        ["note", 25],
      ]);
      expect(await sql.query("select id from items order by id", [], { arrayMode: true })).toEqual([[1], [2]]);
    });

    it("runs a batch in one transaction with the options asked for", async () => {
      const [written, , level] = await sql.transaction(
        [
          sql`insert into items (id) values (10) returning id`,
          sql`insert into items (id) values (11)`,
          sql`select current_setting('transaction_isolation') as level`,
        ],
        { isolationLevel: "Serializable" },
      );
      expect([written, level]).toEqual([[{ id: 10 }], [{ level: "serializable" }]]);
      const refused = sql.transaction([sql`insert into items (id) values (12)`], { readOnly: true });
      await expect(refused).rejects.toMatchObject({ code: "25006" });
    });

    it("undoes the whole batch when one query fails", async () => {
      const batch = sql.transaction([sql`insert into items (id) values (20)`, sql`insert into items (id) values (20)`]);
      await expect(batch).rejects.toMatchObject({ code: "23505", table: "items", constraint: "items_pkey" });
      expect(await sql`select id from items where id = 20`).toEqual([]);
    });

    it("reports errors with Postgres' own fields and goes on working", async () => {
      await expect(sql`select nope`).rejects.toMatchObject({ code: "42703", severity: "ERROR", position: "8" });
      await expect(sql`select ${"a\u0000b"}::text`).rejects.toMatchObject({ code: "22021" });
      await expect(sql.query("select 1; select 2")).rejects.toMatchObject({ code: "42601" });
      expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
    });

    it("serves many callers at once", async () => {
      const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => sql`select ${n}::int as n`));
      expect(answers.map(([row]) => row?.["n"] as unknown)).toEqual(Array.from({ length: 40 }, (_, n) => n));
    });

    it("refuses a wrong password, a missing connection string and a body that is no query", async () => {
      const stranger = neon(postgres.databaseUrl.replace(/:[^:@/]+@/, ":wrong@"));
      await expect(stranger`select 1`).rejects.toMatchObject({ code: "28P01" });
      const bare = await fetch(server.fetchEndpoint, { method: "POST", body: '{"query":"select 1"}' });
      expect(bare.status).toBe(400);
      const headers = { "neon-connection-string": postgres.databaseUrl };
      const nonsense = await fetch(server.fetchEndpoint, { method: "POST", body: "nonsense", headers });
      expect([nonsense.status, await nonsense.json()]).toEqual([
        400,
        { message: "Cannot read the body: must be a query or queries" },
      ]);
    });
  });
}

describe("the local database's own address", () => {
  let local: Postgres;
  beforeAll(async () => {
    local = await startLocalDatabase();
  }, 60_000);
  afterAll(() => local.stop());
  const connect = async () => {
    const client = new pg.Client({ connectionString: local.databaseUrl });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  };

  it("serves several clients, one transaction at a time", async () => {
    const [first, second] = [await connect(), await connect()];
    await first.query("create table turns (n int)");
    await first.query("begin");
    await first.query("insert into turns values (1)");
    const waiting = second.query("select count(*)::int as n from turns");
    await first.query("insert into turns values (2)");
    await first.query("commit");
    expect((await waiting).rows).toEqual([{ n: 2 }]);
    await Promise.all([first.end(), second.end()]);
  });

  it("undoes the transaction of a client that vanishes", async () => {
    const [first, second] = [await connect(), await connect()];
    await second.query("create table left_behind (n int)");
    await first.query("begin");
    await first.query("insert into left_behind values (1)");
    first.connection.stream.destroy();
    expect((await second.query("select count(*)::int as n from left_behind")).rows).toEqual([{ n: 0 }]);
    await second.end();
  });

  it("goes on after an error and after a prepared statement", async () => {
    const client = await connect();
    await expect(client.query("select $1::int8 / 0", [1])).rejects.toMatchObject({ code: "22012" });
    const statement = { name: "twice", text: "select $1::int * 2 as n" };
    expect((await client.query({ ...statement, values: [21] })).rows).toEqual([{ n: 42 }]);
    expect((await client.query({ ...statement, values: [4] })).rows).toEqual([{ n: 8 }]);
    await client.end();
  });

  it("refuses a wrong password", async () => {
    const client = new pg.Client({ connectionString: local.databaseUrl.replace("local-password", "local-passwort") });
    await expect(client.connect()).rejects.toMatchObject({ code: "28P01" });
  });
});
