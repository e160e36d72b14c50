import type * as z from "zod/mini";
import type { Restriction, RestrictionChange, RestrictionStore } from "../domain/ports/restrictions.ts";
import type { AppId, UserId } from "../protocol/ids.ts";
import { insertAudit } from "./audit.ts";
import { RESTRICTION_COLUMNS, RestrictionRow } from "./rows.ts";
import { parseRows, requireRow, type Sql, type Statement } from "./sql.ts";

export function createRestrictionStore(sql: Sql): RestrictionStore {
  return {
    async findRestriction(app, userId) {
      const [row] = await sql.rows(RestrictionRow, {
        text: `select ${RESTRICTION_COLUMNS} from restrictions where app = $1 and user_id = $2`,
        params: [app, userId],
      });
      return row === undefined ? { revokedBefore: 0, ban: null } : toRestriction(row);
    },
    async restrictUser(app, userId, change, audit) {
      const [rows] = await sql.transaction([upsert(app, userId, change), insertAudit(app, [audit])]);
      const row = requireRow(parseRows(RestrictionRow, rows));
      return { restriction: toRestriction(row), decidedAt: row.decidedAt };
    },
  };
}

function upsert(app: AppId, userId: UserId, { revokedBefore, ban }: RestrictionChange): Statement {
  const before = revokedBefore === undefined ? null : new Date(revokedBefore);
  return {
    text: `
      insert into restrictions as r (app, user_id, revoked_before, banned_at, banned_until, banned_by, ban_reason)
      values ($1, $2, $3::timestamptz, $4, $5, $6, $7)
      on conflict (app, user_id) do update set
        revoked_before = case
          when r.revoked_before > excluded.revoked_before + interval '1 minute' then excluded.revoked_before
          else greatest(r.revoked_before, excluded.revoked_before)
        end
        ${ban === undefined ? "" : ", " + BAN_FIELDS.map((name) => `${name} = excluded.${name}`).join(", ")}
      returning ${RESTRICTION_COLUMNS}`,
    params: [app, userId, before, ban?.createdAt, ban?.until, ban?.createdBy, ban?.reason].map(
      (value) => value ?? null,
    ),
  };
}
const BAN_FIELDS = ["banned_at", "banned_until", "banned_by", "ban_reason"];

function toRestriction({ revokedBefore, bannedAt, bannedUntil }: z.output<typeof RestrictionRow>): Restriction {
  return { revokedBefore: revokedBefore ?? 0, ban: bannedAt === null ? null : { until: bannedUntil } };
}
