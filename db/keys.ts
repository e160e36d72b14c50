import * as z from "zod/mini";
import type { KeyStore } from "../domain/ports/api-keys.ts";
import { API_KEY_COLUMNS, ApiKeyRow } from "./rows.ts";
import type { Sql } from "./sql.ts";

export function createKeyStore(sql: Sql): KeyStore {
  return {
    async findApiKey(id) {
      const [key] = await sql.rows(ApiKeyRow, {
        text: `select ${API_KEY_COLUMNS} from api_keys where id = $1`,
        params: [id],
      });
      return key;
    },
    async insertApiKey({ id, app, environment, hash, createdAt, revokedAt }) {
      await sql.transaction([
        {
          text: noted(
            "create",
            "insert into api_keys (id, app, environment, hash, created_at, revoked_at) values ($1, $2, $3, $4, $5, $6)",
            "created_at",
          ),
          params: [id, app, environment, hash, createdAt, revokedAt],
        },
      ]);
    },
    async listApiKeys(app) {
      return await sql.rows(ApiKeyRow, {
        text: `select ${API_KEY_COLUMNS} from api_keys where $1::text is null or app = $1 order by created_at, id`,
        params: [app ?? null],
      });
    },
    async revokeApiKey(id, at) {
      const revoked = await sql.rows(z.object({}), {
        text: noted("revoke", "update api_keys set revoked_at = $2 where id = $1 and revoked_at is null", "revoked_at"),
        params: [id, at],
      });
      return revoked.length === 1;
    },
  };
}

/** What happens to a key is in the audit log. Only an operator can do it, who has no id here. */
function noted(did: "create" | "revoke", change: string, at: string): string {
  return `
    with changed as (${change} returning *)
    insert into audit_log (app, id, at, action, actor, subject, detail)
    select app, gen_random_uuid(), ${at}, 'key.${did}', 'system', id, environment from changed returning place`;
}
