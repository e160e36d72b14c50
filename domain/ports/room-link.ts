import type { AppId, ChannelId, UserId } from "../../protocol/ids.ts";
import type { PersonOrder, RoomOrder } from "../orders.ts";
import type { EventRange, RoomEvent } from "./history.ts";

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
