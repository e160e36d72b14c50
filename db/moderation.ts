import type { ModerationStore } from "../domain/ports/moderation.ts";
import { insertAudit } from "./audit.ts";
import { ModerationRow } from "./rows.ts";
import type { Sql } from "./sql.ts";

/** Stands where an app's own row has no channel: no channel's id is empty. */
const WHOLE_APP = "";

export function createModerationStore(sql: Sql): ModerationStore {
  return {
    async findModeration(app, id) {
      const rows = await sql.rows(ModerationRow, {
        text: `
          select channel_id as "channelId", mode, blocked, allowed from moderation
          where app = $1 and channel_id in ($2, '${WHOLE_APP}')`,
        params: [app, id],
      });
      const recordOf = (wanted: string) => {
        const row = rows.find(({ channelId }) => channelId === wanted);
        return row === undefined ? null : { mode: row.mode, blocked: row.blocked, allowed: row.allowed };
      };
      return { app: recordOf(WHOLE_APP), channel: recordOf(id) };
    },
    async saveModeration(app, id, { mode, blocked, allowed }, entry) {
      const save = {
        text: `
          insert into moderation (app, channel_id, mode, blocked, allowed) values ($1, $2, $3, $4::jsonb, $5::jsonb)
          on conflict (app, channel_id) do update set
            mode = excluded.mode, blocked = excluded.blocked, allowed = excluded.allowed, updated_at = now()`,
        params: [app, id ?? WHOLE_APP, mode, JSON.stringify(blocked), JSON.stringify(allowed)],
      };
      await sql.transaction([save, insertAudit(app, [entry])]);
    },
  };
}
