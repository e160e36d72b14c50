import * as z from "zod/mini";
import type { Store, WorkerStore } from "../domain/ports/store.ts";
import { createAuditStore } from "./audit.ts";
import { createBanStore } from "./bans.ts";
import { createChannelStore } from "./channels.ts";
import { createClientIdStore } from "./client-ids.ts";
import { createHistoryStore } from "./history.ts";
import { createKeyStore } from "./keys.ts";
import { createMemberStore } from "./members.ts";
import { createModerationStore } from "./moderation.ts";
import { createRestrictionStore } from "./restrictions.ts";
import { writeBatch } from "./room-batch.ts";
import { openSql, type Sql, type SqlOptions } from "./sql.ts";
import { createUserStore } from "./users.ts";

/**
 * The store in Postgres, over HTTP. It keeps no connection, so it is cheap to make and needs no closing. Every method
 * throws `ChatError` `storage_unavailable` when the database does not answer in `timeoutMs` (5 s when left out), refuses,
 * or answers nonsense; what it said is only in the error's `cause`.
 */
export function createPostgresStore(options: SqlOptions): Store {
  const sql = openSql(options);
  return {
    ...createStore(sql),
    ...createClientIdStore(sql),
    writeBatch: (batch, isOver) => writeBatch(sql, batch, isOver),
  };
}

/** The same without what only rooms write, which the Worker's bundle then does not carry. */
export function createWorkerStore(options: SqlOptions): WorkerStore {
  return createStore(openSql(options));
}

function createStore(sql: Sql): WorkerStore {
  return {
    ...createKeyStore(sql),
    ...createUserStore(sql),
    ...createRestrictionStore(sql),
    ...createChannelStore(sql),
    ...createMemberStore(sql),
    ...createBanStore(sql),
    ...createHistoryStore(sql),
    ...createAuditStore(sql),
    ...createModerationStore(sql),
    async ping(signal) {
      await sql.rows(z.object({}), { text: "select id from channels limit 1", params: [] }, signal);
    },
  };
}
