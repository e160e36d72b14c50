import { createKeyRing } from "../domain/api-keys.ts";
import { createTokenKeys } from "../domain/chat-tokens.ts";
import type { ConfigReport, Settings } from "../domain/config.ts";
import type { Deps } from "../domain/deps.ts";
import { createSavedUsers } from "../domain/saved-users.ts";
import type { Log } from "../domain/log.ts";
import { createNativeDriver } from "../domain/native-driver.ts";
import type { Now } from "../domain/ports/clock.ts";
import type { KeySetCache } from "../domain/ports/key-set-cache.ts";
import type { Limiter } from "../domain/ports/limiter.ts";
import type { PresenceBoard } from "../domain/ports/presence-board.ts";
import type { RestrictionBoard } from "../domain/ports/restrictions.ts";
import type { RoomLink } from "../domain/ports/room-link.ts";
import type { Probe, WorkerStore } from "../domain/ports/store.ts";
import { Recent } from "../domain/recent.ts";
import { SteadyClock } from "../domain/steady-clock.ts";
import { createSessionVerifier } from "../domain/session-verifier.ts";
import { WatchedLimiter } from "../domain/watched-limiter.ts";
import { createRoomLink } from "./room-link.ts";
import { createStreamDriver } from "./stream-driver.ts";
import { trustedIssuers } from "./trusted-issuers.ts";

/** The world outside, as an entry point or a test hands it in. */
export interface World {
  store: WorkerStore;
  redis: Probe;
  board: PresenceBoard;
  keySets: KeySetCache;
  restrictions: RestrictionBoard;
  limiter: Limiter;
  /** Rooms over HTTP at `PARTY_URL` when left out. */
  rooms?: RoomLink | undefined;
  fetch: typeof fetch;
  now: Now;
  wait: (ms: number) => Promise<void>;
  waitUntil: (work: Promise<unknown>) => void;
  log: Log;
}

const HEALTH_KEPT_MS = 1_000;

/** Puts together what requests use, from settings that were found sound. */
export async function createDeps(
  settings: Settings,
  configReport: Pick<ConfigReport, "aliasesUsed">,
  world: World,
): Promise<Deps> {
  const { store, now, waitUntil, log } = world;
  const steady = new SteadyClock(now).now;
  // A sound configuration has a secret; an empty one must never sign.
  if (settings.CHAT_JWT_SECRET === undefined) throw new Error("CHAT_JWT_SECRET is missing");
  const tokenKeys = await createTokenKeys(
    settings.PUBLIC_URL,
    settings.CHAT_JWT_SECRET,
    settings.CHAT_JWT_SECRET_PREVIOUS,
  );
  const issuers = trustedIssuers(settings, {
    fetch: world.fetch,
    cache: world.keySets,
    now: steady,
    waitUntil,
    onProblem: (reason) => log({ event: "problem", part: "identity", reason }),
  });
  const rooms = { partyUrl: settings.PARTY_URL, app: settings.APP_ID, tokenKeys, fetch: world.fetch, now };
  return {
    settings,
    configReport,
    tokenKeys,
    sessions: createSessionVerifier(issuers, now),
    apiKeys: createKeyRing({ store, environment: settings.ENVIRONMENT, now: steady }),
    store,
    redis: world.redis,
    board: world.board,
    rooms: world.rooms ?? createRoomLink(rooms),
    restrictions: world.restrictions,
    limiter: new WatchedLimiter(world.limiter, steady),
    driver:
      settings.CHAT_DRIVER === "stream"
        ? createStreamDriver({ settings, fetch: world.fetch, now })
        : createNativeDriver(tokenKeys, settings.PUBLIC_URL, store),
    savedUsers: createSavedUsers(),
    recentHealth: new Recent(HEALTH_KEPT_MS, steady),
    recentTest: new Recent(HEALTH_KEPT_MS, steady),
    now,
    wait: world.wait,
    waitUntil,
    log,
  };
}
