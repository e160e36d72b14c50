import type { ChannelType, Custom } from "../protocol/http.ts";
import type { AppId, ChannelId, ClientMessageId, UserId } from "../protocol/ids.ts";
import type { PersonOrder, RoomOrder } from "./orders.ts";

/**
 * What the domain asks of the world: storage, network, time. Every method that crosses a network takes a signal or has a
 * time limit of its own, and throws `ChatError` `storage_unavailable` / `rooms_unavailable` when the other side fails.
 */

export interface UserRecord {
  id: UserId;
  name: string;
  image: string | null;
  custom: Custom;
}

/** Fields a caller wants changed; those left out stay as they are. */
export interface UserChange {
  id: UserId;
  name?: string | undefined;
  image?: string | undefined;
  custom?: Custom | undefined;
}

export interface ChannelRecord {
  app: AppId;
  id: ChannelId;
  type: ChannelType;
  name: string;
  /** A user's id, or `app:<app>` when a server made it with an API key; no user id has a colon. */
  createdBy: string;
  custom: Custom;
  createdAt: Date;
  /** The epoch of the room's order that history holds, once the room has written. */
  epoch: string | null;
  /** The newest `seq` in history; the room may be ahead. */
  headSeq: number;
}

export type Role = "owner" | "member";

export interface MemberRecord {
  userId: UserId;
  role: Role;
  readSeq: number;
}

export interface ApiKeyRecord {
  id: string;
  app: AppId;
  environment: "live" | "test";
  /** SHA-256 of the secret part, hex. */
  hash: string;
  createdAt: Date;
  revokedAt: Date | null;
}

/**
 * One entry of a room's order. A message is the first kind; readers skip kinds they do not know but never their `seq`.
 * This is also the shape a room keeps and the row history keeps.
 */
export interface RoomEvent {
  seq: number;
  epoch: string;
  kind: "message";
  /** The message id. */
  id: string;
  userId: UserId;
  username: string;
  clientMessageId: ClientMessageId | null;
  content: string;
  /** Milliseconds since 1970; never below the previous event's. */
  at: number;
  /** What the filter did to it; absent when it found nothing. */
  moderation?: "masked" | "flagged" | undefined;
  /** `contentHash` of what was sent, when that is not what was kept: by it a retry is known. */
  sentHash?: number | undefined;
}

/** Somebody who may not be in a channel (`ban`), or be there but not write (`mute`). */
export interface BanRecord {
  userId: UserId;
  kind: "ban" | "mute";
  /** Null: until it is lifted. */
  until: Date | null;
  reason: string | null;
  /** Who did it, as `AuditEntry.actor` names them. */
  createdBy: string;
  createdAt: Date;
}

/** What an app has said about one of its users, wherever they are. Times are milliseconds since 1970. */
export interface Restriction {
  /** Tokens and sign-ins issued before this are refused; 0 when none were revoked. */
  revokedBefore: number;
  /** They may not be in the app at all; `until` null: until it is lifted. */
  ban: { until: number | null } | null;
}

/** What is to become of a restriction; what is left out stays. */
export interface RestrictionChange {
  revokedBefore?: number | undefined;
  /** Null lifts it. */
  ban?: Omit<BanRecord, "userId" | "kind"> | null | undefined;
}

export type AuditAction =
  | "channel.create"
  | "member.join"
  | "member.add"
  | "member.remove"
  | "message.send"
  | "message.refuse"
  | "message.mask"
  | "message.flag"
  | "request.refuse"
  | "ban.set"
  | "ban.lift"
  | "user.revoke"
  | "user.ban"
  | "user.unban"
  | "key.create"
  | "key.revoke"
  | "moderation.change";

/** One line of the audit log, which is only ever added to. Never holds content, a token or a key. */
export interface AuditEntry {
  /** A UUID, so that an entry written twice is there once. */
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  action: AuditAction;
  /** A user's id, `key:<id>` for an app's server, `system` for what happens by itself. */
  actor: string;
  channelId: ChannelId | null;
  /** Whom or what it was done to: a user's, message's, channel's or key's id. */
  subject: string | null;
  /** The HTTP request's id, the socket's connection id, or the client's own message id. */
  requestId: string | null;
  /** An error code, a mode or a count. */
  detail: string | null;
}

export interface AuditStore {
  /** Adds entries; one that is there already stays as it is. */
  writeAudit(app: AppId, entries: readonly AuditEntry[]): Promise<void>;
  /** Newest first, those before `before` (an entry's place in the log). */
  listAudit(
    app: AppId,
    page: { before?: number | undefined; channelId?: ChannelId | undefined; limit: number },
  ): Promise<{ place: number; entry: AuditEntry }[]>;
}

/** What an app, or one of its channels, adds to the filter. */
export interface ModerationRecord {
  mode: "off" | "flag" | "mask" | "block";
  /** Words and phrases to find; and those never to take offence at. */
  blocked: readonly string[];
  allowed: readonly string[];
}

export interface ModerationStore {
  /** Null where nothing was set. */
  findModeration(
    app: AppId,
    id: ChannelId,
  ): Promise<{ app: ModerationRecord | null; channel: ModerationRecord | null }>;
  /** `id` null: the whole app's. In one transaction with its entry in the audit log. */
  saveModeration(app: AppId, id: ChannelId | null, record: ModerationRecord, entry: AuditEntry): Promise<void>;
}

/** What is done to a key is in the audit log. */
export interface KeyStore {
  findApiKey(id: string): Promise<ApiKeyRecord | undefined>;
  insertApiKey(key: ApiKeyRecord): Promise<void>;
  listApiKeys(app?: AppId): Promise<ApiKeyRecord[]>;
  /** @returns false when there is no such key or it is revoked already. */
  revokeApiKey(id: string, at: Date): Promise<boolean>;
}

export interface UserStore {
  /** Creates the user or changes the given fields of the one there is; never makes a second. */
  upsertUser(app: AppId, user: UserChange): Promise<UserRecord>;
}

/** When the store took a change in, in milliseconds by its own clock: later for each that changes the same. */
export interface Decided {
  decidedAt: number;
}

/** Every change is written together with the line of the audit log that tells of it; what changes nothing has none. */
export interface RestrictionStore {
  findRestriction(app: AppId, userId: UserId): Promise<Restriction>;
  /**
   * Changes a user's restriction. `revokedBefore` never goes back, but from a time that has not come yet (more than a minute
   * past the new one): only a clock that was wrong can have set that.
   */
  restrictUser(
    app: AppId,
    userId: UserId,
    change: RestrictionChange,
    audit: AuditEntry,
  ): Promise<Decided & { restriction: Restriction }>;
}

/** As above. A ban leaves membership in place and suspends it: whoever is banned is found in no channel's members. */
export interface BanStore {
  /** Bans or mutes, in the place of the ban or mute there is. */
  setBan(app: AppId, id: ChannelId, ban: BanRecord, audit: AuditEntry): Promise<Decided>;
  /** `lifted` is false when there was nothing to lift. */
  liftBan(app: AppId, id: ChannelId, userId: UserId, audit: AuditEntry): Promise<Decided & { lifted: boolean }>;
  /** Those in force, ordered by user id, those after `after`. */
  listBans(app: AppId, id: ChannelId, page: { after?: UserId | undefined; limit: number }): Promise<BanRecord[]>;
}

/** As above. */
export interface MemberStore {
  /** Makes members of those who are none; they start reading at the channel's end. `audit`: an entry for each of `userIds`. */
  addMembers(app: AppId, id: ChannelId, userIds: readonly UserId[], audit: readonly AuditEntry[]): Promise<void>;
  /** @returns false when they were no member. */
  removeMember(app: AppId, id: ChannelId, userId: UserId, audit: AuditEntry): Promise<boolean>;
}

export interface ChannelStore {
  /**
   * Creates the channel with its members in one transaction. When the id is taken nothing changes and the channel that
   * has it is returned with `created: false`. A `createdBy` that is a user becomes owner and member. What was done is in
   * the audit log.
   */
  createChannel(channel: NewChannel): Promise<{ channel: ChannelRecord; created: boolean }>;
  findChannel(app: AppId, id: ChannelId): Promise<ChannelRecord | undefined>;
  /** Undefined for who is banned, too. */
  findMember(app: AppId, id: ChannelId, userId: UserId): Promise<MemberRecord | undefined>;
  /** At most `limit` member ids, ordered. */
  listMembers(app: AppId, id: ChannelId, limit: number): Promise<{ count: number; userIds: UserId[] }>;
  /** The user's channels, ordered by id, those after `after`. */
  listChannels(
    app: AppId,
    userId: UserId,
    page: { after?: ChannelId | undefined; limit: number },
  ): Promise<MyChannel[]>;
  /** How many channels the user is in and how many messages there are unread in all of them. */
  countChannels(app: AppId, userId: UserId): Promise<{ channels: number; unread: number }>;
}

export interface NewChannel {
  app: AppId;
  id: ChannelId;
  type: ChannelType;
  name: string;
  createdBy: string;
  members: readonly UserId[];
  custom: Custom;
  /** Who asked, as the audit log names them; `createdBy`, and no request, when left out. */
  asked?: { actor: string; requestId: string | null } | undefined;
}

export interface MyChannel {
  channel: ChannelRecord;
  member: MemberRecord;
}

export interface HistoryStore {
  /** At most `limit` events with `after < seq < before`, ascending; the newest ones unless only `after` is given. */
  listEvents(app: AppId, id: ChannelId, page: EventRange): Promise<RoomEvent[]>;
}

export interface EventRange {
  before?: number | undefined;
  after?: number | undefined;
  limit: number;
}

/** What a room hands over to be kept for ever. Writing the same batch again changes nothing. */
export interface RoomBatch {
  app: AppId;
  channelId: ChannelId;
  events: readonly RoomEvent[];
  /** People who joined an open channel. Who is a member already stays as they are; the others become members. */
  members: readonly NewMember[];
  /** Read marks; a mark never goes back. */
  reads: readonly { userId: UserId; seq: number }[];
  /** For the audit log, which learns of messages and new members by the batch itself. */
  audit?: readonly AuditEntry[] | undefined;
}

/** Where a new member starts reading: what was said before is not theirs to catch up with. */
export interface NewMember extends Pick<MemberRecord, "userId" | "readSeq"> {
  /** When they joined and by which connection, for the audit log. */
  joined?: { at: number; requestId: string | null } | undefined;
}

export interface RoomStore {
  findChannel: ChannelStore["findChannel"];
  createChannel: ChannelStore["createChannel"];
  findMember: ChannelStore["findMember"];
  listBans: BanStore["listBans"];
  /** The event that has a user's client message id, however old it is. Answers or throws within 2 s. */
  findByClientId(
    app: AppId,
    id: ChannelId,
    userId: UserId,
    clientMessageId: ClientMessageId,
  ): Promise<RoomEvent | undefined>;
  /**
   * Writes the whole batch in one transaction, `ON CONFLICT DO NOTHING`. Begins nothing more once `isOver`.
   *
   * @throws {BatchRefused} when some events can never be written; everything else of the batch has been.
   * @throws {ChatError} `storage_unavailable` when it is worth trying again.
   */
  writeBatch(batch: RoomBatch, isOver?: AbortSignal): Promise<void>;
}

export interface Probe {
  /** A real round trip. */
  ping(signal: AbortSignal): Promise<void>;
}

export type Store = KeyStore &
  UserStore &
  RestrictionStore &
  ChannelStore &
  MemberStore &
  BanStore &
  HistoryStore &
  RoomStore &
  AuditStore &
  ModerationStore &
  Probe;
/** What routes need of it: everything but what rooms write behind. */
export type WorkerStore = Omit<Store, "writeBatch" | "findByClientId">;

/** Who is where, across rooms, and when they were last seen: in Redis, written by rooms, read by routes. */
export interface PresenceBoard {
  findUserPresence(app: AppId, userId: UserId): Promise<{ online: boolean; lastSeenAt: Date | null }>;
  /** A room's report: who is live in it now and who has just left it. Kept 150 s, so a dead room's people fade. */
  reportPresence(
    app: AppId,
    channelId: ChannelId,
    change: { online: readonly UserId[]; offline: readonly UserId[]; at: Date },
  ): Promise<void>;
}

/** Where routes learn of restrictions without asking the store. */
export interface RestrictionBoard {
  /** In the place of what was saved before. */
  saveRestriction(app: AppId, userId: UserId, restriction: Restriction): Promise<void>;
}

/** A room as other parts of the system see it. */
export interface RoomLink {
  /**
   * Has a room carry out what was decided about somebody. `hadJoined`: history may not have known yet that they had joined,
   * and may have learnt of it right until the answer.
   */
  orderRoom(app: AppId, id: ChannelId, order: RoomOrder): Promise<{ hadJoined: boolean }>;
  /** The same wherever the person may be: at every door, and in every room. */
  orderPerson(app: AppId, order: PersonOrder): Promise<void>;
  /** Tells a room that what its content filter goes by has changed. */
  tellLists(app: AppId, id: ChannelId): Promise<void>;
  /** The room's events that history may not have yet, those a page of `range` can need, and what it knows of the caller. */
  readTail(app: AppId, id: ChannelId, caller: UserId, range?: EventRange): Promise<RoomTail>;
  readPresence(app: AppId, id: ChannelId, caller: UserId): Promise<RoomPresenceRecord>;
  ping(signal: AbortSignal): Promise<void>;
}

export interface RoomTail {
  epoch: string;
  head: number;
  /** Events up to here are in history. */
  storedSeq: number;
  isMember: boolean;
  /**
   * Ascending: of those from `storedSeq + 1` to `head`, and of older ones that history would not take, what was asked for;
   * the newest 10,000 at most.
   */
  events: RoomEvent[];
}

export interface RoomPresenceRecord {
  isMember: boolean;
  memberCount: number;
  online: { userId: UserId; username: string }[];
}

/** Asked once per request for what one identity may still do. */
export interface Limiter {
  take(policy: LimitPolicyName, identity: string): Promise<LimitAnswer>;
}
export type LimitPolicyName = "token" | "mint" | "channel" | "manage" | "read" | "key_failure";
export interface LimitAnswer {
  allowed: boolean;
  limit: number;
  windowSeconds: number;
  remaining: number;
  /** Seconds until the window has room again. */
  resetSeconds: number;
  /** True when Redis did not answer in time and a local, stricter count stood in. */
  degraded: boolean;
  /** What is known of the user whose identity was counted, from the same round trip; undefined when it was not made. */
  restriction?: Restriction | undefined;
}

/** The last good key set of an issuer, kept outside the isolate for when the issuer is down. */
export interface KeySetCache {
  load(issuer: string): Promise<{ jwks: unknown; fetchedAt: number } | undefined>;
  save(issuer: string, entry: { jwks: unknown; fetchedAt: number }): Promise<void>;
}

/** Milliseconds since 1970. */
export type Now = () => number;
