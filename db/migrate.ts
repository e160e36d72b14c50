import * as z from "zod/mini";
import { type Migration, readMigrations } from "./migrations.ts";
import { openSql, type Sql, type SqlOptions, sqlState, type Statement } from "./sql.ts";

const TIMEOUT_MS = 60_000;
const UNIQUE_VIOLATION = "23505";

const AppliedRow = z.object({ hash: z.string(), when: z.coerce.number() });

/**
 * Brings the database up to this version's schema. Each migration is one transaction together with its entry in the
 * journal (drizzle's own table, so drizzle's tools read it too), and one lock lets many callers run this at once.
 *
 * @param migrations Those of `db/migrations/` when left out.
 * @returns the names of the migrations that were applied now.
 * @throws {ChatError} `storage_unavailable`; the cause says what the database said.
 * @throws {Error} when a migration was changed after it was applied.
 */
export async function migrate(
  { databaseUrl, fetchEndpoint }: Pick<SqlOptions, "databaseUrl" | "fetchEndpoint">,
  migrations?: readonly Migration[],
): Promise<string[]> {
  const sql = openSql({ databaseUrl, fetchEndpoint, timeoutMs: TIMEOUT_MS });
  await sql.transaction(CREATE_JOURNAL);
  const applied = await readApplied(sql);
  const names: string[] = [];
  for (const migration of migrations ?? (await readMigrations())) {
    if (isApplied(migration, applied)) continue;
    if (await apply(sql, migration)) names.push(migration.name);
  }
  return names;
}

const LOCK: Statement = { text: "select pg_advisory_xact_lock(hashtext('parley migrations'))", params: [] };

// "if not exists" still collides when two callers find nothing at the same moment, so it is done under the lock.
const CREATE_JOURNAL: readonly Statement[] = [
  LOCK,
  ...[
    "create schema if not exists drizzle",
    "create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)",
    "create unique index if not exists __drizzle_migrations_once on drizzle.__drizzle_migrations (created_at)",
  ].map((text) => ({ text, params: [] })),
];

async function readApplied(sql: Sql): Promise<Map<number, string>> {
  const text = 'select hash, created_at as "when" from drizzle.__drizzle_migrations';
  const rows = await sql.rows(AppliedRow, { text, params: [] });
  return new Map(rows.map(({ hash, when }) => [when, hash]));
}

function isApplied({ name, when, hash }: Migration, applied: Map<number, string>): boolean {
  const found = applied.get(when);
  if (found !== undefined && found !== hash)
    throw new Error(`Cannot migrate: "${name}" was changed after it had been applied to this database`);
  return found !== undefined;
}

/** @returns false when another caller has applied it in the meantime. */
async function apply(sql: Sql, { when, hash, statements }: Migration): Promise<boolean> {
  const note = {
    // Before the statements: somebody who waited for the lock fails here, with nothing done.
    text: "insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)",
    params: [hash, when],
  };
  try {
    await sql.transaction([LOCK, note, ...statements.map((text) => ({ text, params: [] }))]);
    return true;
  } catch (error) {
    if (sqlState(error) === UNIQUE_VIOLATION && (await readApplied(sql)).has(when)) return false;
    throw error;
  }
}
