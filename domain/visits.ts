import { LIMITS } from "../protocol/limits.ts";

/** Tokens live a day at most, and so does what opens a socket. */
const DAY_MS = 24 * 3_600_000;

/**
 * How long a socket may be kept open by new tokens before it has to be opened anew, which is when it is known again that
 * its user is in the room. A token taken right before that keeps it open for another day.
 */
export const SOCKET_RENEWED_MS = DAY_MS;

/** How long it is known that somebody was in a room: as long as a socket can be open there, and a day in case a clock jumps. */
export const VISIT_KEPT_MS = SOCKET_RENEWED_MS + DAY_MS + DAY_MS + 3 * 3_600_000;

/** Coming again within this time is no news. */
export const VISIT_NEWS_MS = 3_600_000;

/** Rooms that are known of one person, so that what is kept of them stays small: past it one where they are not any more goes. */
export const VISITS_MAX = 1_000;

/** A visit that recent may still be on its way into the room. */
export const VISIT_UNDER_WAY_MS = 60_000;

/** Sockets one person may open: to all rooms from all tabs at once, as after a restart, and then two a second. */
export const KNOCKS = { burst: LIMITS.socketsPerUserPerRoom * LIMITS.roomsPerSocket, everyMs: 500 };
