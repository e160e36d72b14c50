import type { Person } from "./types.ts";

/** A channel is what lasts of a room: its name, its members, its history. `custom` is the app's own. */
export interface Channel {
  id: string;
  name: string;
  type: "messaging" | "livestream" | "lobby" | "private" | "team" | "dm";
  createdBy: string;
  /** ISO 8601. */
  createdAt: string;
  /** The newest position that history holds. */
  seq: number;
  memberCount?: number | undefined;
  /** User ids. */
  members?: string[] | undefined;
  /** The caller's part in it. */
  role?: "owner" | "member" | undefined;
  readSeq?: number | undefined;
  unread?: number | undefined;
  custom?: Record<string, unknown> | undefined;
}

export interface ChannelPage {
  channels: Channel[];
  /** The `after` of the next page; null on the last one. */
  next: string | null;
}

/** What a new channel is to be. Without an id the server makes one. */
export interface NewChannel {
  channelId?: string;
  name?: string;
  /** Default `messaging`, which any user of the app may join. */
  type?: Exclude<Channel["type"], "lobby">;
  /** User ids. */
  members?: string[];
  custom?: Record<string, unknown>;
}

/** Who is online in a room, as HTTP tells it. */
export interface RoomPresence {
  roomId: string;
  memberCount: number;
  members: Person[];
}
