import type { AppId, ChannelId, UserId } from "../../protocol/ids.ts";

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
