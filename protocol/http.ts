import * as z from "zod/mini";
import { ERRORS, type ErrorCode } from "./errors.ts";
import { Message, RoomMember, Seq } from "./frames.ts";
import { ChannelId, UserId } from "./ids.ts";
import { LIMITS } from "./limits.ts";

const Timestamp = z.iso.datetime({ offset: true });
const Name = z.string().check(z.minLength(1), z.maxLength(200));

/** Data an app keeps with a user or a channel. Stored and shown, never read by any decision of ours. */
export const Custom = z
  .record(z.string(), z.json())
  .check(
    z.refine(
      (value) => fitsCustom(value),
      `must be an object of at most ${LIMITS.customMaxBytes} bytes, ${LIMITS.customMaxKeys} keys and ${LIMITS.customMaxDepth} levels`,
    ),
  );
export type Custom = z.infer<typeof Custom>;

export const MintRequest = z.strictObject({
  userId: UserId,
  name: z.optional(Name),
  image: z.optional(z.string()),
  custom: z.optional(Custom),
  /** Seconds the tokens live; at most the deployment's `TOKEN_TTL_SECONDS`. */
  expiresIn: z.optional(z.number().check(z.int(), z.gte(60), z.lte(86_400))),
});
export type MintRequest = z.infer<typeof MintRequest>;

/** Exchange takes no body; an empty object or a `userId` that old clients send is allowed and ignored. */
export const ExchangeRequest = z.strictObject({ userId: z.optional(z.unknown()), user_id: z.optional(z.unknown()) });

export const User = z.object({ id: UserId, name: z.string(), image: z.nullable(z.string()) });
export type User = z.infer<typeof User>;

export const TokenReply = z.object({
  token: z.string(),
  wsToken: z.string(),
  userId: UserId,
  user_id: UserId,
  user: User,
  expiresIn: z.number(),
  expiresAt: Timestamp,
  apiKey: z.optional(z.string()),
  wsUrl: z.string(),
});
export type TokenReply = z.infer<typeof TokenReply>;

export const StatusReply = z.object({
  userId: UserId,
  online: z.boolean(),
  lastSeen: z.nullable(Timestamp),
  channels: z.number(),
  unread: z.number(),
});
export type StatusReply = z.infer<typeof StatusReply>;

export const ChannelType = z.enum(["messaging", "livestream", "lobby", "private", "team", "dm"]);
export type ChannelType = z.infer<typeof ChannelType>;
/** Channel types that any signed-in user of the app may join; joining makes a member. */
export const OPEN_CHANNEL_TYPES: ReadonlySet<ChannelType> = new Set<ChannelType>(["messaging", "livestream", "lobby"]);

export const CreateChannelRequest = z.strictObject({
  channel_id: z.optional(z.string()),
  channelId: z.optional(z.string()),
  roomId: z.optional(z.string()),
  channel_name: z.optional(Name),
  name: z.optional(Name),
  type: z.optional(z.enum(["messaging", "livestream", "private", "team", "dm"])),
  members: z.optional(z.array(UserId).check(z.maxLength(LIMITS.membersPerCreate))),
  custom: z.optional(Custom),
});
export type CreateChannelRequest = z.infer<typeof CreateChannelRequest>;

export const Channel = z.object({
  id: ChannelId,
  channelId: ChannelId,
  channel_id: ChannelId,
  name: z.string(),
  channel_name: z.string(),
  type: ChannelType,
  createdBy: z.string(),
  createdAt: Timestamp,
  /** The newest position that history holds. */
  seq: Seq,
  memberCount: z.optional(z.number()),
  members: z.optional(z.array(UserId)),
  /** The caller's part in it. */
  role: z.optional(z.enum(["owner", "member"])),
  readSeq: z.optional(Seq),
  unread: z.optional(z.number()),
  custom: z.optional(Custom),
});
export type Channel = z.infer<typeof Channel>;

export const ChannelPage = z.object({ channels: z.array(Channel), next: z.nullable(ChannelId) });
export type ChannelPage = z.infer<typeof ChannelPage>;

/** Messages in ascending `seq`. `prev` is the `before` of the next older page, `next` the `after` of the next newer one. */
export const HistoryPage = z.object({ messages: z.array(Message), next: z.nullable(Seq), prev: z.nullable(Seq) });
export type HistoryPage = z.infer<typeof HistoryPage>;

const Reason = z.string().check(z.minLength(1), z.maxLength(200));
/** How long a ban or mute lasts; until it is lifted when left out. A year at most. */
const Seconds = z.number().check(z.int(), z.gte(1), z.lte(31_536_000));

export const NoFields = z.strictObject({});
export const BanUserRequest = z.strictObject({ seconds: z.optional(Seconds), reason: z.optional(Reason) });
export type BanUserRequest = z.infer<typeof BanUserRequest>;

/** What an app has said about one of its users. */
export const RestrictionReply = z.object({
  userId: UserId,
  revokedBefore: z.nullable(Timestamp),
  banned: z.boolean(),
  bannedUntil: z.nullable(Timestamp),
});
export type RestrictionReply = z.infer<typeof RestrictionReply>;

const BanKind = z.enum(["ban", "mute"]);
export const BanRequest = z.strictObject({
  userId: UserId,
  kind: z.optional(BanKind),
  seconds: z.optional(Seconds),
  reason: z.optional(Reason),
});
export type BanRequest = z.infer<typeof BanRequest>;

export const Ban = z.object({
  userId: UserId,
  kind: BanKind,
  until: z.nullable(Timestamp),
  reason: z.nullable(z.string()),
  createdBy: z.string(),
  createdAt: Timestamp,
});
export type Ban = z.infer<typeof Ban>;
export const BanPage = z.object({ bans: z.array(Ban), next: z.nullable(UserId) });
export type BanPage = z.infer<typeof BanPage>;
export const LiftReply = z.object({ userId: UserId, lifted: z.boolean() });
export type LiftReply = z.infer<typeof LiftReply>;

export const AddMembersRequest = z.strictObject({
  userIds: z.array(UserId).check(z.minLength(1), z.maxLength(LIMITS.membersPerCreate)),
});
export type AddMembersRequest = z.infer<typeof AddMembersRequest>;
export const MembersReply = z.object({ memberCount: z.number(), members: z.array(UserId) });
export type MembersReply = z.infer<typeof MembersReply>;
export const RemoveReply = z.object({ userId: UserId, removed: z.boolean() });
export type RemoveReply = z.infer<typeof RemoveReply>;

export const RoomPresence = z.object({ roomId: ChannelId, memberCount: z.number(), members: z.array(RoomMember) });
export type RoomPresence = z.infer<typeof RoomPresence>;
export const UserPresence = z.object({
  userId: UserId,
  status: z.enum(["online", "offline"]),
  lastSeen: z.nullable(Timestamp),
});
export type UserPresence = z.infer<typeof UserPresence>;

const CheckName = z.enum(["config", "postgres", "redis", "rooms", "identity"]);
export const HealthCheck = z.object({
  name: CheckName,
  status: z.enum(["healthy", "degraded", "unhealthy"]),
  ms: z.number(),
  hint: z.optional(z.string()),
});
export type HealthCheck = z.infer<typeof HealthCheck>;
export const HealthReply = z.object({
  status: z.enum(["healthy", "degraded", "unhealthy"]),
  checks: z.array(HealthCheck),
  warnings: z.array(z.string()),
  timestamp: Timestamp,
});
export type HealthReply = z.infer<typeof HealthReply>;

export const ConnectionStep = z.object({
  name: z.enum(["postgres", "redis", "room", "tokens"]),
  ok: z.boolean(),
  ms: z.number(),
  hint: z.optional(z.string()),
});
export const ConnectionReply = z.object({ ok: z.boolean(), steps: z.array(ConnectionStep), timestamp: Timestamp });
export type ConnectionReply = z.infer<typeof ConnectionReply>;

/** How a page signs people in at this deployment. Public facts only. */
export const SignInReply = z.object({
  provider: z.enum(["local", "clerk", "oidc", "none"]),
  issuer: z.nullable(z.string()),
  publishableKey: z.optional(z.string()),
});
export type SignInReply = z.infer<typeof SignInReply>;

/** RFC 9457. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  detail: z.string(),
  requestId: z.string(),
});
export type Problem = z.infer<typeof Problem>;

const utf8 = new TextEncoder();

function fitsCustom(value: unknown): boolean {
  const text = JSON.stringify(value);
  return utf8.encode(text).length <= LIMITS.customMaxBytes && !/\\u0000|\\ud[89a-f]/i.test(text) && isSmall(value);
}

function isSmall(value: unknown): boolean {
  let keys = 0;
  const walk = (inner: unknown, depth: number): boolean => {
    if (typeof inner !== "object" || inner === null) return true;
    if (depth > LIMITS.customMaxDepth) return false;
    const entries = Object.values(inner);
    keys += entries.length;
    return keys <= LIMITS.customMaxKeys && entries.every((next) => walk(next, depth + 1));
  };
  return walk(value, 1);
}

const Phrases = z
  .array(
    z.string().check(
      z.trim(),
      z.minLength(1),
      z.maxLength(64),
      z.refine((text) => text.isWellFormed() && !text.includes("\0")),
    ),
  )
  .check(z.maxLength(500));

/** What an app, or one of its channels, has the content filter do. */
export const ModerationSettings = z.strictObject({
  mode: z.enum(["off", "flag", "mask", "block"]),
  blocked: z._default(Phrases, []),
  allowed: z._default(Phrases, []),
});
export type ModerationSettings = z.infer<typeof ModerationSettings>;

/** One line of the audit log. */
export const AuditLine = z.object({
  /** Its place in the log: the `before` of the page of older ones. */
  place: z.number(),
  id: z.string(),
  at: Timestamp,
  action: z.string(),
  actor: z.string(),
  channelId: z.nullable(z.string()),
  subject: z.nullable(z.string()),
  requestId: z.nullable(z.string()),
  detail: z.nullable(z.string()),
});
export const AuditPage = z.object({ entries: z.array(AuditLine), next: z.nullable(z.number()) });
export type AuditPage = z.infer<typeof AuditPage>;
