import type { CLOSES } from "../protocol/errors.ts";

/** Who is answered so has no way to a room, or to its history. */
export const HOPELESS = /^(forbidden|banned|room_not_found|bad_room_id|reserved_id|token_missing)$/;

// Of the table only what matters here, because all of it would be a thirtieth of the client. The types hold the numbers.

/** A browser's own: nobody said anything. */
export const LOST = 1006;
export const TOKEN_EXPIRED: (typeof CLOSES)["token_expired"] = 4001;
export const RATE_LIMITED: (typeof CLOSES)["rate_limited"] = 4029;
const INVALID_TOKEN: (typeof CLOSES)["invalid_token"] = 4500;
const WRONG_KIND: (typeof CLOSES)["wrong_token_kind"] = 4502;
/** From here on a code says that there is no use in coming back. */
export const FINAL: number = INVALID_TOKEN;
/** Whoever is closed with one of these needs other tokens. */
export const SIGN_IN: readonly number[] = [TOKEN_EXPIRED, INVALID_TOKEN, WRONG_KIND];
