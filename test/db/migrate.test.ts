import { readFile } from "node:fs/promises";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import { generateDrizzleJson, generateMigration } from "drizzle-kit/api";
import { afterEach, describe, expect, it } from "vitest";
import { migrate } from "../../db/migrate.ts";
import { type Migration, readMigrations } from "../../db/migrations.ts";
import * as schema from "../../db/schema.ts";
import { reasonForNoPostgres } from "../support/real-postgres.ts";
import { openLocalDatabase, openRealDatabase, type TestDatabase } from "./databases.ts";

describe("the migrations", () => {
  it("say what the schema says; npm run db:generate writes the one that is missing", async () => {
    const migrations = await readMigrations();
    const newest = String(migrations.length - 1).padStart(4, "0");
    const file = new URL(`../../db/migrations/meta/${newest}_snapshot.json`, import.meta.url);
    const written = JSON.parse(await readFile(file, "utf8")) as ReturnType<typeof generateDrizzleJson>;
    expect(await generateMigration(written, generateDrizzleJson(schema))).toEqual([]);
  });
});

describeMigrate("the local database", openLocalDatabase);
const reason = reasonForNoPostgres();
if (reason === undefined) describeMigrate("a real Postgres", openRealDatabase);
else describe.skip(`migrating a real Postgres (skipped: ${reason})`, () => it("is not run", () => {}));

function describeMigrate(name: string, open: () => Promise<TestDatabase>): void {
  describe(`migrating ${name}`, () => {
    let database: TestDatabase;
    const opened = async () => (database = await open());
    afterEach(async () => database.close());

    it("gives every table and column of the schema, once", async () => {
      const { query } = await opened();
      expect(await migrate(database)).toEqual((await readMigrations()).map((migration) => migration.name));
      expect(await migrate(database)).toEqual([]);
      const rows = await query(`
        select table_name || '.' || column_name || ' ' || is_nullable as shown
        from information_schema.columns where table_schema = 'public'`);
      const found = rows.map(({ shown }) => String(shown));
      const wanted = Object.values(schema)
        .filter((table) => table instanceof PgTable)
        .map(getTableConfig)
        .flatMap(({ name: table, columns: all }) =>
          all.map((column) => `${table}.${column.name} ${column.notNull ? "NO" : "YES"}`),
        );
      expect(found.toSorted()).toEqual(wanted.toSorted());
      const journal = await query("select hash from drizzle.__drizzle_migrations");
      expect(journal).toHaveLength((await readMigrations()).length);
    });

    it("may be done by many at once", async () => {
      await opened();
      const applied = await Promise.all(Array.from({ length: 8 }, () => migrate(database)));
      expect(applied.flat()).toEqual((await readMigrations()).map((migration) => migration.name));
    });

    it("leaves nothing of a migration that fails, and goes on from there once it is mended", async () => {
      const { query } = await opened();
      const first = migrationOf(1, "create table one (id int)");
      const broken = migrationOf(2, "create table two (id int)", "create table one (id int)");
      await expect(migrate(database, [first, broken])).rejects.toMatchObject({ code: "storage_unavailable" });
      expect(await query("select to_regclass('one')::text as one, to_regclass('two')::text as two")).toEqual([
        { one: "one", two: null },
      ]);
      expect(await migrate(database, [first, migrationOf(2, "create table two (id int)")])).toEqual(["migration-2"]);
    });

    it("refuses to go on when a migration was changed after it had been applied", async () => {
      await opened();
      await migrate(database, [migrationOf(1, "create table one (id int)")]);
      await expect(migrate(database, [migrationOf(1, "create table one (id text)")])).rejects.toThrow(
        'Cannot migrate: "migration-1" was changed after it had been applied to this database',
      );
    });

    it("leaves a database of a newer version alone", async () => {
      await opened();
      const migrations = [1, 2].map((when) => migrationOf(when, `create table t${when} (id int)`));
      await migrate(database, migrations);
      expect(await migrate(database, migrations.slice(0, 1))).toEqual([]);
    });
  });
}

function migrationOf(when: number, ...statements: string[]): Migration {
  return { name: `migration-${when}`, when, hash: statements.join(), statements };
}
