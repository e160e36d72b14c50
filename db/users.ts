import type { UserStore } from "../domain/ports/users.ts";
import { USER_COLUMNS, UserRow } from "./rows.ts";
import { requireRow, type Sql } from "./sql.ts";

export function createUserStore(sql: Sql): UserStore {
  return {
    async upsertUser(app, { id, name, image, custom }) {
      const rows = await sql.rows(UserRow, {
        text: `
          insert into users as u (app, id, name, image, custom)
          values ($1, $2, coalesce($3, $2), $4, coalesce($5::jsonb, '{}'))
          on conflict (app, id) do update set
            name = coalesce($3, u.name),
            image = coalesce($4, u.image),
            custom = coalesce($5::jsonb, u.custom),
            updated_at = now()
          returning ${USER_COLUMNS}`,
        params: [app, id, name ?? null, image ?? null, custom === undefined ? null : JSON.stringify(custom)],
      });
      return requireRow(rows);
    },
  };
}
