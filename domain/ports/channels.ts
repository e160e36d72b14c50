import type { ChannelType, Custom } from "../../protocol/http.ts";
import type { AppId, ChannelId, UserId } from "../../protocol/ids.ts";
import type { MemberRecord } from "./members.ts";

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
