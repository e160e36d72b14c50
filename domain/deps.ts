import type { ConnectionReply, HealthReply } from "../protocol/http.ts";
import type { KeyRing } from "./api-keys.ts";
import type { TokenKeys } from "./chat-tokens.ts";
import type { ConfigReport, Settings } from "./config.ts";
import type { ChatDriver } from "./driver.ts";
import type { SavedUsers } from "./saved-users.ts";
import type { Log } from "./log.ts";
import type { Now } from "./ports/clock.ts";
import type { PresenceBoard } from "./ports/presence-board.ts";
import type { RestrictionBoard } from "./ports/restrictions.ts";
import type { RoomLink } from "./ports/room-link.ts";
import type { Probe, WorkerStore } from "./ports/store.ts";
import type { Recent } from "./recent.ts";
import type { SessionVerifier } from "./session-verifier.ts";
import type { WatchedLimiter } from "./watched-limiter.ts";

/** Everything a request may use. Made once per isolate by `functions/deps.ts`, or by `createMemoryDeps()` in tests. */
export interface Deps {
  settings: Settings;
  configReport: Pick<ConfigReport, "aliasesUsed">;
  tokenKeys: TokenKeys;
  sessions: SessionVerifier;
  apiKeys: KeyRing;
  store: WorkerStore;
  redis: Probe;
  board: PresenceBoard;
  rooms: RoomLink;
  restrictions: RestrictionBoard;
  limiter: WatchedLimiter;
  driver: ChatDriver;
  savedUsers: SavedUsers;
  recentHealth: Recent<HealthReply>;
  recentTest: Recent<ConnectionReply>;
  now: Now;
  /** Lets time pass, in milliseconds. */
  wait: (ms: number) => Promise<void>;
  /** Work after the answer; it has to catch its own errors. */
  waitUntil: (work: Promise<unknown>) => void;
  log: Log;
}
