import type { AppId, ChannelId, UserId } from "../../protocol/ids.ts";
import type { AuditEntry } from "./audit-log.ts";

export type Role = "owner" | "member";

export interface MemberRecord {
  userId: UserId;
  role: Role;
  /** The newest `seq` they have read. */
  readSeq: number;
}

/** Where a new member starts reading: what was said before is not theirs to catch up with. */
export interface NewMember extends Pick<MemberRecord, "userId" | "readSeq"> {
  /** When they joined and by which connection, for the audit log. */
  joined?: { at: number; requestId: string | null } | undefined;
}

/** Every change is written together with the lines of the audit log that tell of it; what changes nothing has none. */
export interface MemberStore {
  /** Makes members of those who are none; they start reading at the channel's end. `audit`: an entry for each of `userIds`. */
  addMembers(app: AppId, id: ChannelId, userIds: readonly UserId[], audit: readonly AuditEntry[]): Promise<void>;
  /** @returns false when they were no member. */
  removeMember(app: AppId, id: ChannelId, userId: UserId, audit: AuditEntry): Promise<boolean>;
}
