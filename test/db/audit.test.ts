import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPostgresStore } from "../../db/postgres-store.ts";
import { migrate } from "../../db/migrate.ts";
import { reasonForNoPostgres } from "../support/real-postgres.ts";
import { entryOf, newApp } from "./contract/opened-store.ts";
import { openLocalDatabase, openRealDatabase, type TestDatabase } from "./databases.ts";

describeTamper("the local database", openLocalDatabase);
const reason = reasonForNoPostgres();
if (reason === undefined) describeTamper("a real Postgres", openRealDatabase);
else describe.skip(`the audit log in a real Postgres (skipped: ${reason})`, () => it("is not run", () => {}));

/** Tries with the rights of whoever made the tables, which is more than the service needs. */
function describeTamper(name: string, open: () => Promise<TestDatabase>): void {
  describe(`the audit log in ${name}`, () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await open();
      await migrate(database);
      await createPostgresStore(database).writeAudit(newApp(), [entryOf()]);
    }, 60_000);
    afterAll(async () => database.close());

    it.each([
      "update audit_log set actor = 'mallory'",
      "update audit_log set actor = 'mallory' where place = -1",
      "delete from audit_log",
      "delete from audit_log where false",
      "truncate audit_log",
      "truncate users, audit_log cascade",
      "with gone as (delete from audit_log returning *) select count(*) from gone",
      "insert into audit_log (app, id, at, action, actor) select app, id, at, action, 'x' from audit_log on conflict (app, id) do update set actor = 'x'",
      "set session_replication_role = replica; delete from audit_log",
    ])("O08 refuses to change or delete entries: %s", async (text) => {
      const { query } = database;
      const rows = () => query("select place, app, id, at, action, actor, subject, request_id from audit_log");
      const before = await rows();
      expect(before).toHaveLength(1);
      await expect(query(text)).rejects.toMatchObject({ code: "42501" });
      await query("set session_replication_role = origin");
      expect(await rows()).toEqual(before);
    });

    it("O08 says why", async () => {
      await expect(database.query("delete from audit_log")).rejects.toMatchObject({
        code: "42501",
        message: "audit_log is only ever added to: DELETE is refused",
      });
    });
  });
}
