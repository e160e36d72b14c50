import type { StatusReply } from "../protocol/http.ts";
import type { UserCaller } from "./callers.ts";
import type { Deps } from "./deps.ts";

/**
 * What the caller would want to know before opening a socket.
 *
 * @throws {ChatError} `storage_unavailable`
 */
export async function chatStatus(
  { store, board }: Pick<Deps, "store" | "board">,
  { app, userId }: UserCaller,
): Promise<StatusReply> {
  const [presence, { channels, unread }] = await Promise.all([
    board.findUserPresence(app, userId),
    store.countChannels(app, userId),
  ]);
  return {
    userId,
    online: presence.online,
    lastSeen: presence.lastSeenAt?.toISOString() ?? null,
    channels,
    unread,
  };
}
