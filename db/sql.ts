import { neon, neonConfig } from "@neondatabase/serverless";
import * as z from "zod/mini";
import { ChatError } from "../protocol/errors.ts";

/** Where the database is. */
export interface SqlOptions {
  databaseUrl: string;
  /** The address that speaks Neon's SQL over HTTP, when it is not the one Neon derives from `databaseUrl`. */
  fetchEndpoint?: string | undefined;
  /** How long one request may take; 5 s when left out. */
  timeoutMs?: number | undefined;
}

export interface Statement {
  text: string;
  params: readonly unknown[];
}

/** Sends SQL. Every failure is a `ChatError` `storage_unavailable` whose `cause` never leaves the server. */
export interface Sql {
  /** Runs one statement and parses what it returns. */
  rows<Row extends z.ZodMiniType>(row: Row, statement: Statement, signal?: AbortSignal): Promise<z.output<Row>[]>;
  /** Runs the statements in one transaction, each seeing what was committed before it, and answers the rows of each. */
  transaction(statements: readonly Statement[], signal?: AbortSignal): Promise<unknown[][]>;
}

// The driver keeps the address in one global, so each call sets its own. The driver reads it before it first yields.
const NEONS_OWN_ENDPOINT = neonConfig.fetchEndpoint;
const TIMEOUT_MS = 5_000;

/**
 * Opens a database over HTTP: no connection is kept, so it may be opened anywhere and needs no closing. A request that
 * the other side never answers is given up after `timeoutMs`.
 */
export function openSql({ databaseUrl, fetchEndpoint, timeoutMs = TIMEOUT_MS }: SqlOptions): Sql {
  const query = neon(databaseUrl);
  const withLimit = () => ({ fetchOptions: { signal: AbortSignal.timeout(timeoutMs) } });
  // Not `AbortSignal.any`: a signal that outlives the event it was made in takes the rooms' local runtime down with it. So
  // a request that nobody waits for any more goes on to its own limit.
  const send = <Result>(work: () => PromiseLike<Result>, signal?: AbortSignal): Promise<Result> => {
    neonConfig.fetchEndpoint = fetchEndpoint ?? NEONS_OWN_ENDPOINT;
    // `then` and not `await`, which would call the driver a tick later.
    return new Promise<Result>((resolve, reject) => {
      if (signal?.aborted === true) return reject(new Error("Given up before it was sent"));
      signal?.addEventListener("abort", () => reject(new Error("Given up")), { once: true });
      void work().then(resolve, reject);
    }).catch(unavailable);
  };
  return {
    async rows(row, { text, params }, signal) {
      return parseRows(row, await send(() => query.query(text, [...params], withLimit()), signal));
    },
    transaction(statements, signal) {
      return send(
        () =>
          query.transaction(
            statements.map(({ text, params }) => query.query(text, [...params])),
            { ...withLimit(), isolationLevel: "ReadCommitted" },
          ),
        signal,
      );
    },
  };
}

/** @throws {ChatError} `storage_unavailable` when the database answers something that is not such rows. */
export function parseRows<Row extends z.ZodMiniType>(row: Row, rows: unknown): z.output<Row>[] {
  const parsed = z.safeParse(z.array(row), rows);
  if (!parsed.success) return unavailable(parsed.error);
  return parsed.data;
}

/** @throws {ChatError} `storage_unavailable` when a statement that always returns a row returned none. */
export function requireRow<Row>([row]: readonly Row[]): Row {
  return row ?? unavailable(new Error("The statement returned no row"));
}

/** The SQLSTATE Postgres gave; undefined when it never answered. */
export function sqlState(error: unknown): string | undefined {
  const cause = error instanceof ChatError ? error.cause : error;
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
}

function unavailable(cause: unknown): never {
  throw new ChatError("storage_unavailable", { cause });
}
