import * as z from "zod/mini";
import { openSql } from "../../db/sql.ts";
import type { Stack } from "../support/stack.ts";

const APP = "demo";

/** Writes a channel with a long past into the stack's database: message N at place N, by one of five people. */
export async function writeHistory(stack: Stack, channelId: string, messages: number): Promise<void> {
  const sql = openSql({ databaseUrl: stack.databaseUrl, fetchEndpoint: stack.neonFetchEndpoint, timeoutMs: 60_000 });
  await sql.rows(z.unknown(), {
    text: `insert into channels (app, id, type, name, created_by, epoch, head_seq)
           values ($1, $2, 'messaging', 'Long past', 'user-1', 'past', $3)`,
    params: [APP, channelId, messages],
  });
  await sql.rows(z.unknown(), {
    text: `insert into events
             (app, channel_id, seq, epoch, kind, id, user_id, username, client_message_id, content, created_at)
           select $1, $2, seq, 'past', 'message', 'past-' || seq, 'user-' || (seq / 3) % 5, 'User ' || (seq / 3) % 5,
             'client-' || seq, 'message ' || seq || repeat(' with more words in it', (seq % 7)::int),
             timestamptz '2026-01-01' + seq * interval '10 minutes'
           from generate_series(1, $3::bigint) as seq`,
    params: [APP, channelId, messages],
  });
}
