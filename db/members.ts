import type { MemberStore } from "../domain/ports/members.ts";
import { withAudit } from "./audit.ts";
import { ChangedRow } from "./rows.ts";
import type { Sql } from "./sql.ts";

export function createMemberStore(sql: Sql): MemberStore {
  return {
    async addMembers(app, id, userIds, audit) {
      const add = {
        text: `
          insert into members (app, channel_id, user_id, role, read_seq)
          select $1, $2, given.user_id, 'member', coalesce(c.head_seq, 0)
          from unnest($3::text[]) as given (user_id) left join channels c on c.app = $1 and c.id = $2
          order by given.user_id
          on conflict do nothing
          returning user_id`,
        params: [app, id, userIds],
      };
      await sql.rows(ChangedRow, withAudit(add, audit));
    },
    async removeMember(app, id, userId, audit) {
      const remove = {
        text: "delete from members where app = $1 and channel_id = $2 and user_id = $3 returning user_id",
        params: [app, id, userId],
      };
      return (await sql.rows(ChangedRow, withAudit(remove, [audit]))).length === 1;
    },
  };
}
