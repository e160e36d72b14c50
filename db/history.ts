import type { EventRange, HistoryStore } from "../domain/ports/history.ts";
import type { AppId, ChannelId } from "../protocol/ids.ts";
import { EVENT_COLUMNS, EventRow } from "./rows.ts";
import type { Sql, Statement } from "./sql.ts";

export function createHistoryStore(sql: Sql): HistoryStore {
  return {
    async listEvents(app, channelId, range) {
      const events = await sql.rows(EventRow, selectEvents(app, channelId, range));
      return isForward(range) ? events : events.toReversed();
    },
  };
}

/**
 * One page along the primary key, so a page deep inside costs what the newest costs. Kinds this version does not know are
 * left out without ending a page early.
 */
export function selectEvents(app: AppId, channelId: ChannelId, range: EventRange): Statement {
  const { before, after, limit } = range;
  return {
    text: `
      select ${EVENT_COLUMNS} from events
      where app = $1 and channel_id = $2 and seq > $3 and seq < $4 and kind = 'message'
      order by seq ${isForward(range) ? "asc" : "desc"} limit $5`,
    params: [app, channelId, after ?? -1, before ?? Number.MAX_SAFE_INTEGER, limit],
  };
}

function isForward({ before, after }: EventRange): boolean {
  return after !== undefined && before === undefined;
}
