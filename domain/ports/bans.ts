import type { AppId, ChannelId, UserId } from "../../protocol/ids.ts";
import type { AuditEntry } from "./audit-log.ts";

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

/** When the store took a change in, in milliseconds by its own clock: later for each that changes the same. */
export interface Decided {
  decidedAt: number;
}

/**
 * Every change is written together with the line of the audit log that tells of it; what changes nothing has none.
 * A ban leaves membership in place and suspends it: whoever is banned is found in no channel's members.
 */
export interface BanStore {
  /** Bans or mutes, in the place of the ban or mute there is. */
  setBan(app: AppId, id: ChannelId, ban: BanRecord, audit: AuditEntry): Promise<Decided>;
  /** `lifted` is false when there was nothing to lift. */
  liftBan(app: AppId, id: ChannelId, userId: UserId, audit: AuditEntry): Promise<Decided & { lifted: boolean }>;
  /** Those in force, ordered by user id, those after `after`. */
  listBans(app: AppId, id: ChannelId, page: { after?: UserId | undefined; limit: number }): Promise<BanRecord[]>;
}
