import pg from "pg";
import { createPostgresStore } from "../../db/postgres-store.ts";
import { migrate } from "../../db/migrate.ts";
import { openDatabase } from "../../dev/database.ts";
import { startNeonServer } from "../../dev/neon-server.ts";
import { openPostgresDoor } from "../../dev/postgres-door.ts";
import { startRealPostgres } from "../support/real-postgres.ts";
import type { OpenedStore } from "./contract/opened-store.ts";

export interface TestDatabase {
  databaseUrl: string;
  fetchEndpoint: string;
  /** Asks past the store. */
  query(text: string, params?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** The database of the local stack, empty, behind Neon's protocol. */
export async function openLocalDatabase(): Promise<TestDatabase> {
  const database = await openDatabase();
  const door = await openPostgresDoor(database, { password: "local-password" });
  return await withNeonProtocol(door.databaseUrl, async () => {
    await door.close();
    await database.close();
  });
}

/** A real Postgres of its own, empty, behind Neon's protocol. */
export async function openRealDatabase(): Promise<TestDatabase> {
  const postgres = await startRealPostgres();
  return await withNeonProtocol(postgres.databaseUrl, () => postgres.stop());
}

export const openLocalStore = async () => openStore(await openLocalDatabase());
export const openRealStore = async () => openStore(await openRealDatabase());

async function withNeonProtocol(databaseUrl: string, stop: () => Promise<void>): Promise<TestDatabase> {
  const server = await startNeonServer({ databaseUrl });
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  pool.on("error", () => undefined); // the database ends before the last idle connection knows
  return {
    databaseUrl,
    fetchEndpoint: server.fetchEndpoint,
    query: async (text, params) => (await pool.query<Record<string, unknown>>(text, params)).rows,
    close: async () => {
      await pool.end();
      await server.close();
      await stop();
    },
  };
}

async function openStore(database: TestDatabase): Promise<OpenedStore> {
  await migrate(database);
  return {
    store: createPostgresStore(database),
    countRows: () => countRows(database),
    close: () => database.close(),
  };
}

async function countRows({ query }: TestDatabase): Promise<Record<string, number>> {
  const tables = await query("select table_name as name from information_schema.tables where table_schema = 'public'");
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await query(`select count(*)::int as count from "${String(name)}"`);
    counts[String(name)] = Number(row?.["count"]);
  }
  return counts;
}
