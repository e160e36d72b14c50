import * as z from "zod/mini";
import type { AuditEntry, AuditStore } from "../domain/ports/audit-log.ts";
import type { AppId } from "../protocol/ids.ts";
import { AUDIT_COLUMNS, AuditRow } from "./rows.ts";
import type { Sql, Statement } from "./sql.ts";

export function createAuditStore(sql: Sql): AuditStore {
  return {
    async writeAudit(app, entries) {
      if (entries.length > 0) await sql.rows(z.object({}), insertAudit(app, entries));
    },
    async listAudit(app, { before, channelId, limit }) {
      const inChannel = channelId === undefined ? "" : "and channel_id = $4";
      const rows = await sql.rows(AuditRow, {
        text: `
          select ${AUDIT_COLUMNS} from audit_log
          where app = $1 and place < $2 ${inChannel}
          order by place desc limit $3`,
        params: [app, before ?? Number.MAX_SAFE_INTEGER, limit, ...(channelId === undefined ? [] : [channelId])],
      });
      return rows.map(({ place, ...entry }) => ({ place, entry }));
    },
  };
}

/**
 * Adds entries to the audit log; for the transaction that does what they tell of. One that is there already, by its id,
 * stays as it is.
 */
export function insertAudit(app: AppId, entries: readonly AuditEntry[]): Statement {
  return { text: insertFrom("$2"), params: [app, toJson(entries)] };
}

/**
 * Makes a change, whose first parameter is the app, and adds the entries about those it has changed. Answers the rows that
 * the change returns.
 *
 * @param change Returns the `user_id` of each of them.
 */
export function withAudit(change: Statement, entries: readonly AuditEntry[]): Statement {
  const given = `$${change.params.length + 1}`;
  return {
    text: `
      with changed as (${change.text}),
      noted as (${insertFrom(given, "where subject in (select user_id from changed)")})
      select * from changed`,
    params: [...change.params, toJson(entries)],
  };
}

/** @param given The parameter with the entries; the app is the first. */
function insertFrom(given: string, where = ""): string {
  return `
      insert into audit_log (app, id, at, action, actor, channel_id, subject, request_id, detail)
      select $1, id, to_timestamp(at / 1000), action, actor, channel_id, subject, request_id, detail
      from rows from (json_to_recordset(${given}::json) as (${ENTRY_FIELDS})) with ordinality as given
      ${where}
      order by ordinality
      on conflict do nothing`;
}

const ENTRY_FIELDS =
  "id uuid, at float8, action text, actor text, channel_id text, subject text, request_id text, detail text";

function toJson(entries: readonly AuditEntry[]): string {
  return JSON.stringify(entries.map(toRecord));
}

function toRecord({ channelId, requestId, ...entry }: AuditEntry): Record<string, unknown> {
  return { ...entry, channel_id: channelId, request_id: requestId };
}
