import type { AppId, ChannelId, ClientMessageId, UserId } from "../../protocol/ids.ts";

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

/** A page by `seq`; neither end is on it. */
export interface EventRange {
  before?: number | undefined;
  after?: number | undefined;
  limit: number;
}

export interface HistoryStore {
  /** At most `limit` events with `after < seq < before`, ascending; the newest ones unless only `after` is given. */
  listEvents(app: AppId, id: ChannelId, page: EventRange): Promise<RoomEvent[]>;
}
