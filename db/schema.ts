import { sql } from "drizzle-orm";
import {
  bigint,
  customType,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";

/**
 * The tables, and the only place that describes them: `npm run db:generate` writes the next file of `db/migrations/` from
 * here. At run time nothing imports this; `db/` sends SQL.
 *
 * Every key begins with the app, so one app's rows can never be reached from another's. There are no foreign keys: a room
 * hands over what it has acked and that must be kept, even when the channel's row is gone.
 */

/** Ids are ASCII and compared byte by byte: the same order everywhere, and cheaper than a language's rules. */
const id = customType<{ data: string }>({ dataType: () => 'text collate "C"' });
const seq = (name: string) => bigint(name, { mode: "number" });
const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

export const users = pgTable(
  "users",
  {
    app: id("app").notNull(),
    id: id("id").notNull(),
    name: text("name").notNull(),
    image: text("image"),
    custom: jsonb("custom").notNull().default({}),
    createdAt: moment("created_at").notNull().defaultNow(),
    updatedAt: moment("updated_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.app, table.id] })],
);

export const channels = pgTable(
  "channels",
  {
    app: id("app").notNull(),
    id: id("id").notNull(),
    type: text("type").notNull(),
    name: text("name").notNull(),
    /** A user's id, or `app:<app>`. */
    createdBy: text("created_by").notNull(),
    custom: jsonb("custom").notNull().default({}),
    createdAt: moment("created_at").notNull().defaultNow(),
    /** The epoch of the newest event. */
    epoch: text("epoch"),
    /** The `seq` of the newest event. */
    headSeq: seq("head_seq").notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.app, table.id] })],
);

export const members = pgTable(
  "members",
  {
    app: id("app").notNull(),
    channelId: id("channel_id").notNull(),
    userId: id("user_id").notNull(),
    role: text("role").notNull(),
    readSeq: seq("read_seq").notNull().default(0),
    joinedAt: moment("joined_at").notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.app, table.channelId, table.userId] }),
    index("members_of_user").on(table.app, table.userId, table.channelId),
  ],
);

/** What an app has said about one of its users, wherever they are. */
export const restrictions = pgTable(
  "restrictions",
  {
    app: id("app").notNull(),
    userId: id("user_id").notNull(),
    /** Tokens issued before this are refused. */
    revokedBefore: moment("revoked_before"),
    /** Banned from the app since then, by whom and why; null for who is not. */
    bannedAt: moment("banned_at"),
    bannedUntil: moment("banned_until"),
    bannedBy: text("banned_by"),
    banReason: text("ban_reason"),
  },
  (table) => [primaryKey({ columns: [table.app, table.userId] })],
);

/** Who may not be in a channel, or not write there. */
export const bans = pgTable(
  "bans",
  {
    app: id("app").notNull(),
    channelId: id("channel_id").notNull(),
    userId: id("user_id").notNull(),
    /** `ban` or `mute`. */
    kind: text("kind").notNull(),
    until: moment("until"),
    reason: text("reason"),
    createdBy: text("created_by").notNull(),
    createdAt: moment("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.app, table.channelId, table.userId] })],
);

/** A room's order, one row per `seq`. A message is the first kind; nothing may assume that it stays the only one. */
export const events = pgTable(
  "events",
  {
    app: id("app").notNull(),
    channelId: id("channel_id").notNull(),
    seq: seq("seq").notNull(),
    epoch: text("epoch").notNull(),
    kind: text("kind").notNull(),
    id: text("id").notNull(),
    userId: id("user_id").notNull(),
    username: text("username").notNull(),
    clientMessageId: id("client_message_id"),
    content: text("content").notNull(),
    createdAt: moment("created_at").notNull(),
    /** What the filter did: `masked`, `flagged` or nothing. */
    moderation: text("moderation"),
    /** Stands for what was sent, when that is not what was kept. */
    sentHash: bigint("sent_hash", { mode: "number" }),
  },
  (table) => [
    primaryKey({ columns: [table.app, table.channelId, table.seq] }),
    // What makes a retry years later still the same message.
    uniqueIndex("events_client_message")
      .on(table.app, table.channelId, table.userId, table.clientMessageId)
      .where(sql`client_message_id is not null`),
  ],
);

export const apiKeys = pgTable(
  "api_keys",
  {
    id: id("id").primaryKey(),
    app: id("app").notNull(),
    environment: text("environment").notNull(),
    hash: text("hash").notNull(),
    createdAt: moment("created_at").notNull(),
    revokedAt: moment("revoked_at"),
  },
  (table) => [index("api_keys_of_app").on(table.app)],
);

/**
 * Who did what, and when. Only ever added to: a trigger in the migration that makes this table refuses every update,
 * delete and truncate. Never holds what a message said.
 */
export const auditLog = pgTable(
  "audit_log",
  {
    /** Counts up, so "newest first" has one meaning however many entries share a millisecond. */
    place: bigint("place", { mode: "number" }).notNull().generatedAlwaysAsIdentity(),
    app: id("app").notNull(),
    id: uuid("id").notNull(),
    at: moment("at").notNull(),
    action: text("action").notNull(),
    actor: id("actor").notNull(),
    channelId: id("channel_id"),
    subject: text("subject"),
    requestId: text("request_id"),
    detail: text("detail"),
  },
  (table) => [
    primaryKey({ columns: [table.app, table.place] }),
    uniqueIndex("audit_log_once").on(table.app, table.id),
    index("audit_log_of_channel").on(table.app, table.channelId, table.place),
  ],
);

/** What an app (`channel_id` is empty) or one of its channels adds to the content filter. */
export const moderation = pgTable(
  "moderation",
  {
    app: id("app").notNull(),
    channelId: id("channel_id").notNull(),
    mode: text("mode").notNull(),
    blocked: jsonb("blocked").notNull(),
    allowed: jsonb("allowed").notNull(),
    updatedAt: moment("updated_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.app, table.channelId] })],
);
