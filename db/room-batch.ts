import { BatchRefused, type RefusedEvent } from "../domain/batch-refused.ts";
import type { RoomEvent } from "../domain/ports/history.ts";
import type { NewMember } from "../domain/ports/members.ts";
import type { RoomBatch } from "../domain/ports/room-store.ts";
import { insertAudit } from "./audit.ts";
import { SeqRow } from "./rows.ts";
import { parseRows, type Sql, sqlState, type Statement } from "./sql.ts";

// Data that a column cannot hold (22) or a rule forbids (23): it would fail the same way for ever.
const UNSTORABLE = /^2[23]/;

/**
 * Writes a batch in one transaction. What is there already stays as it is, so a batch whose answer got lost can be
 * written again. A batch with an event that Postgres will not hold is halved until that event is found.
 *
 * @throws {BatchRefused} when some events can never be written; everything else has been.
 * @throws {ChatError} `storage_unavailable` when it is worth trying again.
 */
export async function writeBatch(sql: Sql, batch: RoomBatch, isOver?: AbortSignal): Promise<void> {
  const refused = await writeOnce(sql, batch, isOver).catch(async (error: unknown) => {
    if (batch.events.length === 0 || !isUnstorable(error)) throw error;
    await writeOnce(sql, { ...batch, events: [] }, isOver);
    return await writeHalves(sql, batch, isOver);
  });
  if (refused.length > 0) throw new BatchRefused(refused);
}

async function writeHalves(
  sql: Sql,
  { app, channelId, events }: RoomBatch,
  isOver: AbortSignal | undefined,
): Promise<RefusedEvent[]> {
  const refused: RefusedEvent[] = [];
  const middle = Math.ceil(events.length / 2);
  for (const half of [events.slice(0, middle), events.slice(middle)]) {
    const batch = { app, channelId, events: half, members: [], reads: [] };
    const found = await writeOnce(sql, batch, isOver).catch(async (error: unknown) => {
      if (!isUnstorable(error)) throw error;
      const [event, ...others] = half;
      if (event === undefined || others.length > 0) return await writeHalves(sql, batch, isOver);
      return [{ seq: event.seq, reason: "unstorable" as const }];
    });
    refused.push(...found);
  }
  return refused;
}

function isUnstorable(error: unknown): boolean {
  return UNSTORABLE.test(sqlState(error) ?? "");
}

/** @returns the events that something else stands in the way of. */
async function writeOnce(sql: Sql, batch: RoomBatch, isOver: AbortSignal | undefined): Promise<RefusedEvent[]> {
  const { app, events, members, reads, audit = [] } = batch;
  const joins = members.length === 0 ? [] : [insertMembers(batch)];
  const statements = [
    ...joins, // first, so that in the audit log too people join before they write
    ...(events.length === 0 ? [] : [insertEvents(batch), moveHead(batch)]),
    ...(reads.length === 0 ? [] : [moveReadMarks(batch)]),
    ...(audit.length === 0 ? [] : [insertAudit(app, audit)]),
  ];
  if (statements.length === 0) return [];
  const answers = await sql.transaction(statements, isOver);
  if (events.length === 0) return [];
  const written = new Set(parseRows(SeqRow, answers[joins.length]).map(({ seq }) => seq));
  const present = events.filter(({ seq }) => !written.has(seq));
  if (present.length === 0) return [];
  // Asked afterwards: only now is everything visible that a request given up earlier may have written meanwhile.
  const conflicts = await sql.rows(SeqRow, selectConflicts({ ...batch, events: present }), isOver);
  return conflicts.map(({ seq }) => ({ seq, reason: "conflict" }));
}

const EVENT_FIELDS =
  "seq bigint, epoch text, kind text, id text, user_id text, username text, client_message_id text, content text, at float8, moderation text, sent_hash bigint";

/**
 * With each event that is new goes its entry in the audit log, and one more when the filter did something to it: by one
 * statement, so that neither is ever there without the other, or twice.
 */
function insertEvents({ app, channelId, events }: RoomBatch): Statement {
  return {
    text: `
      with written as (
        insert into events
          (app, channel_id, seq, epoch, kind, id, user_id, username, client_message_id, content, created_at, moderation, sent_hash)
        select
          $1, $2, seq, epoch, kind, id, user_id, username, client_message_id, content, to_timestamp(at / 1000), moderation, sent_hash
        from json_to_recordset($3::json) as given (${EVENT_FIELDS})
        order by seq
        on conflict do nothing
        returning seq, id, user_id, client_message_id, created_at, moderation
      ), noted as (
        insert into audit_log (app, id, at, action, actor, channel_id, subject, request_id)
        select $1, gen_random_uuid(), created_at, action, user_id, $2, id, client_message_id
        from written cross join lateral (
          values (1, 'message.send'), (2, case moderation when 'masked' then 'message.mask' when 'flagged' then 'message.flag' end)
        ) as entries (nth, action)
        where action is not null
        order by seq, nth
      )
      select seq from written`,
    params: [app, channelId, toRecords(events)],
  };
}

/** Looks at what history holds instead of at the batch, so it also catches up a row that was missing or behind. */
function moveHead({ app, channelId }: RoomBatch): Statement {
  return {
    text: `
      update channels set head_seq = newest.seq, epoch = newest.epoch
      from (select seq, epoch from events where app = $1 and channel_id = $2 order by seq desc limit 1) newest
      where channels.app = $1 and channels.id = $2 and head_seq < newest.seq`,
    params: [app, channelId],
  };
}

/** Who was a member already has not joined, and leaves no entry in the audit log. */
function insertMembers({ app, channelId, members }: RoomBatch): Statement {
  return {
    text: `
      with given as (
        select * from json_to_recordset($3::json) as r (user_id text, read_seq bigint, at float8, request_id text)
      ), joined as (
        insert into members (app, channel_id, user_id, role, read_seq)
        select $1, $2, user_id, 'member', read_seq from given
        order by user_id
        on conflict do nothing
        returning user_id
      )
      insert into audit_log (app, id, at, action, actor, channel_id, subject, request_id)
      select
        $1, gen_random_uuid(), coalesce(to_timestamp(at / 1000), now()), 'member.join', user_id, $2, user_id, request_id
      from joined join given using (user_id)
      order by user_id`,
    params: [app, channelId, JSON.stringify(members.map(toMemberRecord))],
  };
}

function moveReadMarks({ app, channelId, reads }: RoomBatch): Statement {
  return {
    text: `
      update members m set read_seq = given.seq
      from (
        select user_id, max(seq) as seq from json_to_recordset($3::json) as r (user_id text, seq bigint) group by 1
      ) given
      where m.app = $1 and m.channel_id = $2 and m.user_id = given.user_id and m.read_seq < given.seq`,
    params: [app, channelId, JSON.stringify(reads.map(({ userId, seq }) => ({ user_id: userId, seq })))],
  };
}

function selectConflicts({ app, channelId, events }: RoomBatch): Statement {
  return {
    text: `
      select given.seq
      from json_to_recordset($3::json) as given (${EVENT_FIELDS})
      left join events e on e.app = $1 and e.channel_id = $2 and e.seq = given.seq
        and e.id = given.id and e.epoch = given.epoch and e.user_id = given.user_id and e.content = given.content
      where e.seq is null
      order by given.seq`,
    params: [app, channelId, toRecords(events)],
  };
}

function toMemberRecord({ userId, readSeq, joined }: NewMember): Record<string, unknown> {
  return { user_id: userId, read_seq: readSeq, at: joined?.at, request_id: joined?.requestId };
}

function toRecords(events: readonly RoomEvent[]): string {
  return JSON.stringify(
    events.map(({ seq, epoch, kind, id, userId, username, clientMessageId, content, at, moderation, sentHash }) => ({
      seq,
      epoch,
      kind,
      id,
      user_id: userId,
      username,
      client_message_id: clientMessageId,
      content,
      at,
      moderation,
      sent_hash: sentHash,
    })),
  );
}
