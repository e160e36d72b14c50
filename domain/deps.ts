import type { KeyRing } from "./api-keys.ts";
import type { TokenKeys } from "./chat-tokens.ts";
import type { Settings } from "./config.ts";
import type { ChatDriver } from "./driver.ts";
import type { SavedUsers } from "./issue-tokens.ts";
import type { Log } from "./log.ts";
import type { Limiter, Now, PresenceBoard, Probe, RoomLink, Store } from "./ports.ts";
import type { SessionVerifier } from "./session-verifier.ts";

/** Everything a request may use. Made once per isolate by `functions/deps.ts`, or by `createMemoryDeps()` in tests. */
export interface Deps {
  settings: Settings;
  tokenKeys: TokenKeys;
  sessions: SessionVerifier;
  apiKeys: KeyRing;
  store: Store;
  redis: Probe;
  board: PresenceBoard;
  rooms: RoomLink;
  limiter: Limiter;
  driver: ChatDriver;
  savedUsers: SavedUsers;
  now: Now;
  /** Work after the answer; it has to catch its own errors. */
  waitUntil: (work: Promise<unknown>) => void;
  log: Log;
}
