import * as z from "zod/mini";
import type { AuditEntry, AuditStore } from "../domain/ports.ts";
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
  return {
    text: `
      insert into audit_log (app, id, at, action, actor, channel_id, subject, request_id, detail)
      select $1, id, to_timestamp(at / 1000), action, actor, channel_id, subject, request_id, detail
      from rows from (json_to_recordset($2::json) as (${ENTRY_FIELDS})) with ordinality as given
      order by ordinality
      on conflict do nothing`,
    params: [app, JSON.stringify(entries.map(toRecord))],
  };
}

const ENTRY_FIELDS =
  "id uuid, at float8, action text, actor text, channel_id text, subject text, request_id text, detail text";

function toRecord({ channelId, requestId, ...entry }: AuditEntry): Record<string, unknown> {
  return { ...entry, channel_id: channelId, request_id: requestId };
}
