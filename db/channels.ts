import * as z from "zod/mini";
import type { ChannelRecord, ChannelStore, NewChannel } from "../domain/ports/channels.ts";
import { NOT_BANNED } from "./bans.ts";
import { CHANNEL_COLUMNS, ChannelCountRow, ChannelRow, MEMBER_COLUMNS, MemberListRow, MemberRow } from "./rows.ts";
import { parseRows, requireRow, type Sql, type Statement } from "./sql.ts";

const MyChannelRow = z.extend(ChannelRow, MemberRow.shape);

export function createChannelStore(sql: Sql): ChannelStore {
  return {
    createChannel: (channel) => createChannel(sql, channel),
    async findChannel(app, id) {
      const [channel] = await sql.rows(ChannelRow, selectChannel(app, id));
      return channel;
    },
    async findMember(app, id, userId) {
      const [member] = await sql.rows(MemberRow, {
        text: `select ${MEMBER_COLUMNS} from members m where m.app = $1 and m.channel_id = $2 and m.user_id = $3 and ${NOT_BANNED}`,
        params: [app, id, userId],
      });
      return member;
    },
    async listMembers(app, id, limit) {
      const rows = await sql.rows(MemberListRow, {
        text: `
          select
            (select count(*) from members where app = $1 and channel_id = $2) as count,
            array(select user_id from members where app = $1 and channel_id = $2 order by user_id limit $3) as "userIds"`,
        params: [app, id, limit],
      });
      return requireRow(rows);
    },
    async listChannels(app, userId, { after, limit }) {
      const statement = {
        text: `
          select ${CHANNEL_COLUMNS}, ${MEMBER_COLUMNS}
          from members m join channels c on c.app = m.app and c.id = m.channel_id
          where m.app = $1 and m.user_id = $2 and m.channel_id > $3 and ${NOT_BANNED}
          order by m.channel_id limit $4`,
        params: [app, userId, after ?? "", limit],
      };
      const rows = await sql.rows(MyChannelRow, statement);
      return rows.map(({ role, readSeq, userId: id, ...channel }) => ({
        channel,
        member: { userId: id, role, readSeq },
      }));
    },
    async countChannels(app, userId) {
      const rows = await sql.rows(ChannelCountRow, {
        text: `
          select count(*) as channels, coalesce(sum(greatest(c.head_seq - m.read_seq, 0)), 0) as unread
          from members m join channels c on c.app = m.app and c.id = m.channel_id
          where m.app = $1 and m.user_id = $2 and ${NOT_BANNED}`,
        params: [app, userId],
      });
      return requireRow(rows);
    },
  };
}

/**
 * Of many that create the same id at once, one inserts and the others wait for it and insert nothing; the second
 * statement then sees the winner's row.
 */
async function createChannel(sql: Sql, channel: NewChannel): Promise<{ channel: ChannelRecord; created: boolean }> {
  const [inserted, present] = await sql.transaction([insertChannel(channel), selectChannel(channel.app, channel.id)]);
  return { channel: requireRow(parseRows(ChannelRow, present)), created: inserted?.length === 1 };
}

function insertChannel({ app, id, type, name, createdBy, members, custom, asked }: NewChannel): Statement {
  const owner = createdBy.includes(":") ? null : createdBy;
  const userIds = new Set<string>(owner === null ? members : [owner, ...members]);
  return {
    // Events that are there already (a room may outlive its channel's row) keep their place: the order goes on after them.
    text: `
      with created as (
        insert into channels (app, id, type, name, created_by, custom, epoch, head_seq)
        select $1, $2, $3, $4, $5, $6::jsonb, newest.epoch, coalesce(newest.seq, 0)
        from (select) one left join lateral (
          select epoch, seq from events where app = $1 and channel_id = $2 order by seq desc limit 1
        ) newest on true
        on conflict do nothing
        returning app, id
      ), joined as (
        insert into members (app, channel_id, user_id, role)
        select created.app, created.id, given.user_id, case when given.user_id = $8 then 'owner' else 'member' end
        from created, unnest($7::text[]) as given (user_id)
        on conflict (app, channel_id, user_id) do update set role = excluded.role
        returning user_id
      ), noted as (
        insert into audit_log (app, id, at, action, actor, channel_id, subject, request_id, detail)
        select $1, gen_random_uuid(), now(), action, $9, $2, subject, $10, detail
        from (
          select 'channel.create' as action, id::text as subject, $3::text as detail from created
          union all
          select 'member.add', user_id, null from joined where user_id is distinct from $8
        ) entries
        order by action, subject
      )
      select id from created`,
    params: [
      app,
      id,
      type,
      name,
      createdBy,
      JSON.stringify(custom),
      [...userIds],
      owner,
      asked?.actor ?? createdBy,
      asked?.requestId ?? null,
    ],
  };
}

function selectChannel(app: string, id: string): Statement {
  return { text: `select ${CHANNEL_COLUMNS} from channels c where c.app = $1 and c.id = $2`, params: [app, id] };
}
