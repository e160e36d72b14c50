import type { KeyStore } from "./api-keys.ts";
import type { AuditStore } from "./audit-log.ts";
import type { BanStore } from "./bans.ts";
import type { ChannelStore } from "./channels.ts";
import type { HistoryStore } from "./history.ts";
import type { MemberStore } from "./members.ts";
import type { ModerationStore } from "./moderation.ts";
import type { RestrictionStore } from "./restrictions.ts";
import type { RoomStore } from "./room-store.ts";
import type { UserStore } from "./users.ts";

/**
 * The ports of this folder are what the domain asks of the world: storage, network, time. Every method that crosses a
 * network takes a signal or has a time limit of its own, and throws `ChatError` `storage_unavailable` /
 * `rooms_unavailable` when the other side fails.
 */

export interface Probe {
  /** A real round trip. */
  ping(signal: AbortSignal): Promise<void>;
}

/** All that is kept for ever. */
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
