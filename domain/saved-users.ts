import { BoundedMap } from "./bounded-map.ts";

const SAVED_USERS_MAX = 10_000;

/** What was last saved of each user who exchanged a session, so that a user who comes again costs no write. */
export type SavedUsers = BoundedMap<string, { what: string; until: number }>;

/** Nobody saved yet. */
export function createSavedUsers(): SavedUsers {
  return new BoundedMap(SAVED_USERS_MAX);
}
