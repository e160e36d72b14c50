import type { IncomingMessage } from "node:http";
import pg from "pg";
import * as z from "zod";
import { type JsonReply, listenForJson, readText } from "./listen.ts";
import { parseJson } from "./parse-json.ts";

const MAX_BODY_BYTES = 64 * 1_024 * 1_024;

const Query = z.object({ query: z.string(), params: z.optional(z.array(z.unknown())) });
const SqlRequest = z.union([Query, z.object({ queries: z.array(Query) })]);
type Query = z.infer<typeof Query>;

export interface NeonServer {
  /** What `neonConfig.fetchEndpoint` is set to. */
  fetchEndpoint: string;
  close(): Promise<void>;
}

/**
 * Speaks the protocol of Neon's SQL over HTTP in front of any Postgres, so that `@neondatabase/serverless` works against
 * it unchanged: one query or a batch in one transaction, values as Postgres text, errors with Postgres' own fields.
 *
 * @param databaseUrl The database; callers must send the same user, password and database name.
 */
export async function startNeonServer(options: { port?: number; databaseUrl: string }): Promise<NeonServer> {
  const pool = new pg.Pool({ connectionString: options.databaseUrl, max: 8 });
  pool.on("error", () => undefined); // an idle connection that breaks is replaced by the pool
  const server = await listenForJson(options.port ?? 0, async (request) => {
    if (request.method !== "POST" || request.url !== "/sql")
      return { status: 404, body: { message: `There is nothing at ${request.method} ${request.url}` } };
    if (!isAdmitted(request, options.databaseUrl))
      return { status: 400, body: { message: "password authentication failed", code: "28P01", severity: "FATAL" } };
    const parsed = SqlRequest.safeParse(parseJson(await readText(request, MAX_BODY_BYTES)));
    if (!parsed.success) return { status: 400, body: { message: "Cannot read the body: must be a query or queries" } };
    return await run(pool, parsed.data, request);
  });
  return {
    fetchEndpoint: `${server.url}/sql`,
    close: async () => {
      await server.close();
      await pool.end();
    },
  };
}

async function run(pool: pg.Pool, body: z.infer<typeof SqlRequest>, request: IncomingMessage): Promise<JsonReply> {
  try {
    if ("query" in body) return { status: 200, body: await runQuery(pool, body, request) };
    return { status: 200, body: { results: await runBatch(pool, body.queries, request) } };
  } catch (error) {
    if (error instanceof pg.DatabaseError) return { status: 400, body: errorBody(error) };
    throw error;
  }
}

async function runBatch(pool: pg.Pool, queries: Query[], request: IncomingMessage): Promise<unknown[]> {
  const client = await pool.connect();
  try {
    await client.query(beginStatement(request));
    const results: unknown[] = [];
    for (const query of queries) results.push(await runQuery(client, query, request));
    await client.query("commit");
    client.release();
    return results;
  } catch (error) {
    const broken = await client.query("rollback").then(
      () => false,
      () => true,
    );
    client.release(broken);
    throw error;
  }
}

const ISOLATION_LEVELS = {
  ReadUncommitted: "read uncommitted",
  ReadCommitted: "read committed",
  RepeatableRead: "repeatable read",
  Serializable: "serializable",
} as const;

function beginStatement({ headers }: IncomingMessage): string {
  const level = ISOLATION_LEVELS[headers["neon-batch-isolation-level"] as keyof typeof ISOLATION_LEVELS];
  return [
    "begin",
    level === undefined ? "" : `isolation level ${level}`,
    headers["neon-batch-read-only"] === "true" ? "read only" : "",
    headers["neon-batch-deferrable"] === "true" ? "deferrable" : "",
  ].join(" ");
}

interface Runner {
  query(config: pg.QueryArrayConfig): Promise<pg.QueryArrayResult>;
}

async function runQuery(runner: Runner, { query, params }: Query, { headers }: IncomingMessage): Promise<unknown> {
  const raw = headers["neon-raw-text-output"] === "true";
  const result = await runner.query({
    text: query,
    values: params ?? [],
    rowMode: "array",
    queryMode: "extended", // one statement per query, as at Neon, even without parameters
    ...(raw && { types: AS_TEXT }),
  } as pg.QueryArrayConfig); // the types do not know queryMode yet
  const asArrays = headers["neon-array-mode"] === "true";
  return {
    command: result.command,
    rowCount: result.rowCount,
    rowAsArray: asArrays,
    fields: result.fields,
    rows: asArrays ? result.rows : result.rows.map((row) => asObject(row, result.fields)),
  };
}

const AS_TEXT = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig;

function asObject(row: unknown[], fields: pg.FieldDef[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field, index) => [field.name, row[index]]));
}

function errorBody(error: pg.DatabaseError): Record<string, unknown> {
  const { message, code, severity, detail, hint, position, internalPosition, internalQuery, where } = error;
  const { schema, table, column, dataType, constraint, file, line, routine } = error;
  const context = { internalPosition, internalQuery, where, file, line, routine };
  return { message, code, severity, detail, hint, position, schema, table, column, dataType, constraint, ...context };
}

/** The header also keeps web pages out: a browser does not send it across origins without asking first. */
function isAdmitted({ headers }: IncomingMessage, databaseUrl: string): boolean {
  const given = headers["neon-connection-string"];
  if (typeof given !== "string" || !URL.canParse(given)) return false;
  const [left, right] = [new URL(given), new URL(databaseUrl)];
  return (["username", "password", "pathname"] as const).every((part) => left[part] === right[part]);
}
