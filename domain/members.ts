import { ChatError } from "../protocol/errors.ts";
import type { AddMembersRequest, MembersReply, RemoveReply } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ManagerCall } from "./bans.ts";
import { requireManaged, requireVisible } from "./channel-access.ts";
import type { Deps } from "./deps.ts";

/**
 * Makes people members of a channel; those who are already stay as they are. They start reading at its end.
 *
 * @throws {ChatError} `room_not_found`; `forbidden` for who does not own the channel; `storage_unavailable`
 */
export async function addMembers(
  { store, now }: Pick<Deps, "store" | "now">,
  { caller, id, requestId }: ManagerCall,
  { userIds }: AddMembersRequest,
): Promise<MembersReply> {
  await requireManaged(store, caller, id);
  const added = [...new Set(userIds)];
  const call = { caller, requestId, at: now() };
  const entries = added.map((subject) => auditEntry(call, { action: "member.add", channelId: id, subject }));
  await store.addMembers(caller.app, id, added, entries);
  const { count, userIds: members } = await store.listMembers(caller.app, id, LIMITS.membersPerCreate);
  return { memberCount: count, members };
}

/**
 * Takes somebody out of a channel: their sockets in it end. People may take out themselves.
 *
 * @throws {ChatError} `room_not_found`; `forbidden` for who does not own the channel, and about who does;
 *   `storage_unavailable`, `rooms_unavailable`: sent again it completes
 */
export async function removeMember(
  { store, rooms, now }: Pick<Deps, "store" | "rooms" | "now">,
  { caller, id, requestId }: ManagerCall,
  userId: UserId,
): Promise<RemoveReply> {
  if (caller.by === "token" && caller.userId === userId) await requireVisible(store, caller, id);
  else await requireManaged(store, caller, id);
  const subject = await store.findMember(caller.app, id, userId);
  if (subject?.role === "owner") throw new ChatError("forbidden", { detail: "A channel's owner cannot leave it" });
  const did = { action: "member.remove", channelId: id, subject: userId } as const;
  const entry = auditEntry({ caller, requestId, at: now() }, did);
  const removed = await store.removeMember(caller.app, id, userId, entry);
  const { hadJoined } = await rooms.orderRoom(caller.app, id, { order: "remove", userId, requestId });
  if (!hadJoined) return { userId, removed };
  // What the room was writing may have made them a member after they had been removed. The entry is there once.
  await store.removeMember(caller.app, id, userId, entry);
  await store.writeAudit(caller.app, [entry]);
  return { userId, removed: true };
}
