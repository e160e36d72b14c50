import * as z from "zod/mini";
import type { AuditAction } from "../domain/ports/audit-log.ts";
import type { RoomEvent } from "../domain/ports/history.ts";
import { ChannelType, type Custom } from "../protocol/http.ts";
import type { AppId, ChannelId, ClientMessageId, UserId } from "../protocol/ids.ts";

/**
 * The columns of each kind of record, named as the port names them, and the schema that parses them. The driver gives
 * `bigint` as text, `timestamptz` as `Date` and `jsonb` parsed.
 */

// Ids were checked before they were written, so a row's are only branded.
const id = <Id>() => z.custom<Id>((value) => typeof value === "string");
const custom = z.custom<Custom>((value) => typeof value === "object" && value !== null && !Array.isArray(value));
const Count = z.coerce.number().check(z.int(), z.nonnegative());
const Milliseconds = z.pipe(
  z.date(),
  z.transform((date) => date.getTime()),
);

export const USER_COLUMNS = "id, name, image, custom";
export const UserRow = z.object({ id: id<UserId>(), name: z.string(), image: z.nullable(z.string()), custom });

export const CHANNEL_COLUMNS =
  'c.app, c.id, c.type, c.name, c.created_by as "createdBy", c.custom, c.created_at as "createdAt", c.epoch, c.head_seq as "headSeq"';
export const ChannelRow = z.object({
  app: id<AppId>(),
  id: id<ChannelId>(),
  type: ChannelType,
  name: z.string(),
  createdBy: z.string(),
  custom,
  createdAt: z.date(),
  epoch: z.nullable(z.string()),
  headSeq: Count,
});

export const MEMBER_COLUMNS = 'm.user_id as "userId", m.role, m.read_seq as "readSeq"';
export const MemberRow = z.object({ userId: id<UserId>(), role: z.enum(["owner", "member"]), readSeq: Count });

export const MemberListRow = z.object({ count: Count, userIds: z.array(id<UserId>()) });
export const ChannelCountRow = z.object({ channels: Count, unread: Count });

/** Not `now()`, which is when the transaction began: it may have waited for another. */
export const DECIDED_COLUMN = 'extract(epoch from clock_timestamp()) * 1000 as "decidedAt"';
export const DecidedRow = z.object({ decidedAt: z.coerce.number() });

export const RESTRICTION_COLUMNS = `revoked_before as "revokedBefore", banned_at as "bannedAt", banned_until as "bannedUntil", ${DECIDED_COLUMN}`;
export const RestrictionRow = z.object({
  revokedBefore: z.nullable(Milliseconds),
  bannedAt: z.nullable(Milliseconds),
  bannedUntil: z.nullable(Milliseconds),
  decidedAt: z.coerce.number(),
});

export const BAN_COLUMNS =
  'user_id as "userId", kind, until, reason, created_by as "createdBy", created_at as "createdAt"';
export const BanRow = z.object({
  userId: id<UserId>(),
  kind: z.enum(["ban", "mute"]),
  until: z.nullable(z.date()),
  reason: z.nullable(z.string()),
  createdBy: z.string(),
  createdAt: z.date(),
});

/** Somebody about whom something has changed. */
export const ChangedRow = z.object({ user_id: z.string() });

export const EVENT_COLUMNS =
  'seq, epoch, kind, id, user_id as "userId", username, client_message_id as "clientMessageId", content, created_at as at, moderation, sent_hash as "sentHash"';
const EventColumns = z.object({
  seq: Count,
  epoch: z.string(),
  kind: z.literal("message"),
  id: z.string(),
  userId: id<UserId>(),
  username: z.string(),
  clientMessageId: z.nullable(id<ClientMessageId>()),
  content: z.string(),
  at: Milliseconds,
  moderation: z.nullable(z.enum(["masked", "flagged"])),
  sentHash: z.nullable(Count),
});
// Most events carry neither, and then do not have the fields at all.
export const EventRow = z.pipe(
  EventColumns,
  z.transform(({ moderation, sentHash, ...event }): RoomEvent => ({
    ...event,
    ...(moderation !== null && { moderation }),
    ...(sentHash !== null && { sentHash }),
  })),
);

export const SeqRow = z.object({ seq: Count });

export const API_KEY_COLUMNS = 'id, app, environment, hash, created_at as "createdAt", revoked_at as "revokedAt"';
export const ApiKeyRow = z.object({
  id: z.string(),
  app: id<AppId>(),
  environment: z.enum(["live", "test"]),
  hash: z.string(),
  createdAt: z.date(),
  revokedAt: z.nullable(z.date()),
});

export const AUDIT_COLUMNS =
  'place, id, at, action, actor, channel_id as "channelId", subject, request_id as "requestId", detail';
export const AuditRow = z.object({
  place: Count,
  id: z.string(),
  at: Milliseconds,
  action: id<AuditAction>(),
  actor: z.string(),
  channelId: z.nullable(id<ChannelId>()),
  subject: z.nullable(z.string()),
  requestId: z.nullable(z.string()),
  detail: z.nullable(z.string()),
});

export const ModerationRow = z.object({
  channelId: z.string(),
  mode: z.enum(["off", "flag", "mask", "block"]),
  blocked: z.array(z.string()),
  allowed: z.array(z.string()),
});
