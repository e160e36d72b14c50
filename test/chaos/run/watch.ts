import * as z from "zod/mini";
import { openSql, type Sql } from "../../../db/sql.ts";
import type { Recorder, VisibleMessage } from "../history/recorder.ts";
import { refusesRow } from "../world/faults/services.ts";
import type { ChaosWorld, FaultOptions } from "../world/types.ts";

const LOOK_MS = 1_000;
const PAGE = 2_000;

const Count = z.object({
  channel_id: z.string(),
  count: z.coerce.number(),
  first: z.coerce.number(),
  last: z.coerce.number(),
});
const Row = z.object({ seq: z.coerce.number(), id: z.string(), user_id: z.string(), content: z.string() });

/** Looks at what no client sees: the rows in Postgres as they come, and the memory of the rooms' process. */
export class Watch {
  readonly #world: ChaosWorld;
  readonly #recorder: Recorder;
  readonly #sql: Sql;
  readonly #lastRow: Map<string, number>;
  #looking: Promise<void> | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(world: ChaosWorld, recorder: Recorder, rooms: readonly string[]) {
    const { databaseUrl, neonFetchEndpoint: fetchEndpoint } = world.stack;
    this.#world = world;
    this.#recorder = recorder;
    this.#sql = openSql({ databaseUrl, fetchEndpoint, timeoutMs: 15_000 });
    this.#lastRow = new Map(rooms.map((room) => [room, 0]));
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Looks now, unless it is looking already. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    await this.#looking;
  }

  /** The newest row of a room that was seen so far. */
  lastRow(room: string): number {
    return this.#lastRow.get(room) ?? 0;
  }

  async readRows(room: string): Promise<VisibleMessage[]> {
    const messages: VisibleMessage[] = [];
    for (let after = 0; ;) {
      const text =
        "select seq, id, user_id, content from events where channel_id = $1 and seq > $2 order by seq limit $3";
      const rows = await this.#sql.rows(Row, { text, params: [room, after, PAGE] });
      for (const { seq, id, user_id: userId, content } of rows) messages.push({ seq, messageId: id, userId, content });
      if (rows.length < PAGE) return messages;
      after = rows.at(-1)?.seq ?? after;
    }
  }

  /** How many rows of each room there are. */
  async countRows(): Promise<Map<string, number>> {
    const text = `
      select channel_id, count(*) as count from events
      where channel_id in (select json_array_elements_text($1::json)) group by channel_id`;
    const params = [JSON.stringify([...this.#lastRow.keys()])];
    const rows = await this.#sql.rows(z.object({ channel_id: z.string(), count: z.coerce.number() }), { text, params });
    return new Map(rows.map(({ channel_id: room, count }) => [room, count]));
  }

  /** Those of the messages whose rows one fault has refused, or would have. */
  async findRefused(ids: readonly string[], { seed, share }: FaultOptions): Promise<Set<string>> {
    const text = `select id from json_array_elements_text($1::json) as given (id) where ${refusesRow("id", seed, share)}`;
    const rows = await this.#sql.rows(z.object({ id: z.string() }), { text, params: [JSON.stringify(ids)] });
    return new Set(rows.map(({ id }) => id));
  }

  async #look(): Promise<void> {
    const bytes = await this.#world.roomsRss().catch(() => 0);
    if (bytes > 0) this.#recorder.write({ kind: "memory", bytes });
    await this.#lookAtRows().catch(() => undefined); // asked again in a second
  }

  async #lookAtRows(): Promise<void> {
    const known = JSON.stringify([...this.#lastRow].map(([room, last]) => ({ room, last })));
    const text = `
      select e.channel_id, count(*) as count, min(e.seq) as first, max(e.seq) as last
      from json_to_recordset($1::json) as known (room text, last bigint)
      join events e on e.app = (select app from channels where id = known.room limit 1)
        and e.channel_id = known.room and e.seq > known.last
      group by e.channel_id`;
    const at = this.#recorder.now(); // what has come by then is in the answer
    const rows = await this.#sql.rows(Count, { text, params: [known] });
    const news = new Map(rows.map((row) => [row.channel_id, row]));
    for (const [room, after] of this.#lastRow) {
      const { count, first, last } = news.get(room) ?? { count: 0, first: after, last: after };
      this.#recorder.write({ kind: "rows", at, room, after, count, first, last });
      this.#lastRow.set(room, last);
    }
  }
}
