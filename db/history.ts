import type { HistoryStore } from "../domain/ports.ts";
import { EVENT_COLUMNS, EventRow } from "./rows.ts";
import type { Sql } from "./sql.ts";

/**
 * Pages through a channel's events along its primary key, so a page deep inside costs what the newest costs. Kinds this
 * version does not know are left out without ending a page early.
 */
export function createHistoryStore(sql: Sql): HistoryStore {
  return {
    async listEvents(app, channelId, { before, after, limit }) {
      const forward = after !== undefined && before === undefined;
      const events = await sql.rows(EventRow, {
        text: `
          select ${EVENT_COLUMNS} from events
          where app = $1 and channel_id = $2 and seq > $3 and seq < $4 and kind = 'message'
          order by seq ${forward ? "asc" : "desc"} limit $5`,
        params: [app, channelId, after ?? -1, before ?? Number.MAX_SAFE_INTEGER, limit],
      });
      return forward ? events : events.toReversed();
    },
  };
}
