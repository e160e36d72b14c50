import { ChatError } from "../protocol/errors.ts";
import type { RoomPresence, UserPresence } from "../protocol/http.ts";
import type { ChannelId, UserId } from "../protocol/ids.ts";
import type { UserCaller } from "./callers.ts";
import { requireVisible } from "./channel-access.ts";
import type { Deps } from "./deps.ts";

/**
 * Who is live in a room, for its members.
 *
 * @throws {ChatError} `room_not_found`, `rooms_unavailable`, `storage_unavailable`
 */
export async function readRoomPresence(
  { store, rooms }: Pick<Deps, "store" | "rooms">,
  caller: UserCaller,
  id: ChannelId,
): Promise<RoomPresence> {
  const { member } = await requireVisible(store, caller, id);
  const { isMember, memberCount, online } = await rooms.readPresence(caller.app, id, caller.userId);
  if (member === undefined && !isMember) throw new ChatError("room_not_found");
  return { roomId: id, memberCount, members: online.map((person) => ({ ...person, status: "online" as const })) };
}

/**
 * Whether a user of the caller's app is online anywhere, and when they were last.
 *
 * @throws {ChatError} `storage_unavailable`
 */
export async function readUserPresence(
  { board }: Pick<Deps, "board">,
  { app }: UserCaller,
  userId: UserId,
): Promise<UserPresence> {
  const { online, lastSeenAt } = await board.findUserPresence(app, userId);
  return { userId, status: online ? "online" : "offline", lastSeen: lastSeenAt?.toISOString() ?? null };
}
