import type { BanStore } from "../domain/ports/bans.ts";
import { withAudit } from "./audit.ts";
import { BAN_COLUMNS, BanRow, DECIDED_COLUMN, DecidedRow } from "./rows.ts";
import { parseRows, requireRow, type Sql, type Statement } from "./sql.ts";

/** Of a ban or mute `b`: that it has not ended. */
const IN_FORCE = "(b.until is null or b.until > now())";

/** Of a member `m`: that they are not banned from the channel. */
export const NOT_BANNED = `not exists (
  select from bans b
  where b.app = m.app and b.channel_id = m.channel_id and b.user_id = m.user_id and b.kind = 'ban' and ${IN_FORCE}
)`;

export function createBanStore(sql: Sql): BanStore {
  return {
    async setBan(app, id, { userId, kind, until, reason, createdBy, createdAt }, audit) {
      const set = {
        text: `
          insert into bans (app, channel_id, user_id, kind, until, reason, created_by, created_at)
          values ($1, $2, $3, $4, $5, $6, $7, $8)
          on conflict (app, channel_id, user_id) do update set
            kind = $4, until = $5, reason = $6, created_by = $7, created_at = $8
          returning user_id`,
        params: [app, id, userId, kind, until, reason, createdBy, createdAt],
      };
      return await change(sql, [app, id, userId], withAudit(set, [audit]));
    },
    async liftBan(app, id, userId, audit) {
      const lift = {
        text: "delete from bans where app = $1 and channel_id = $2 and user_id = $3 returning user_id",
        params: [app, id, userId],
      };
      const { count, decidedAt } = await change(sql, [app, id, userId], withAudit(lift, [audit]));
      return { lifted: count === 1, decidedAt };
    },
    async listBans(app, id, { after, limit }) {
      return await sql.rows(BanRow, {
        text: `
          select ${BAN_COLUMNS} from bans b
          where app = $1 and channel_id = $2 and user_id > $3 and ${IN_FORCE} order by user_id limit $4`,
        params: [app, id, after ?? "", limit],
      });
    },
  };
}

/**
 * Changes of one person's ban come one after the other, also when there is no row to wait for: so each is decided later than
 * those it has seen.
 */
async function change(
  sql: Sql,
  about: readonly string[],
  statement: Statement,
): Promise<{ count: number; decidedAt: number }> {
  const lock = { text: "select pg_advisory_xact_lock(hashtextextended($1, 0))", params: [JSON.stringify(about)] };
  const decide = { text: `select ${DECIDED_COLUMN}`, params: [] };
  const [, changed, decided] = await sql.transaction([lock, statement, decide]);
  return { count: changed?.length ?? 0, ...requireRow(parseRows(DecidedRow, decided)) };
}
