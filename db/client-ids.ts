import type { RoomStore } from "../domain/ports/room-store.ts";
import { EVENT_COLUMNS, EventRow } from "./rows.ts";
import type { Sql } from "./sql.ts";

/** A client waits for the answer, and its later messages behind it. */
const TIMEOUT_MS = 2_000;

export function createClientIdStore(sql: Sql): Pick<RoomStore, "findByClientId"> {
  return {
    async findByClientId(app, channelId, userId, clientMessageId) {
      const statement = {
        text: `
          select ${EVENT_COLUMNS} from events
          where app = $1 and channel_id = $2 and user_id = $3 and client_message_id = $4`,
        params: [app, channelId, userId, clientMessageId],
      };
      const [event] = await sql.rows(EventRow, statement, AbortSignal.timeout(TIMEOUT_MS));
      return event;
    },
  };
}
