import { ChatError } from "../protocol/errors.ts";
import type { Ban, BanPage, BanRequest, LiftReply } from "../protocol/http.ts";
import type { ChannelId, UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { actorOf, auditEntry } from "./audit-entry.ts";
import type { KeyCaller, TokenCaller } from "./callers.ts";
import { requireManaged } from "./channel-access.ts";
import type { Deps } from "./deps.ts";
import type { BanRecord } from "./ports/bans.ts";

type BanDeps = Pick<Deps, "store" | "rooms" | "now">;
/** Who asks, and about which channel. */
export interface ManagerCall {
  caller: KeyCaller | TokenCaller;
  id: ChannelId;
  requestId: string;
}

/**
 * Bans somebody from a channel, or mutes them there, in the place of the ban or mute there is. They need not be a member.
 *
 * @throws {ChatError} `room_not_found`; `forbidden` for who does not own the channel, and about who does;
 *   `storage_unavailable`, `rooms_unavailable`: sent again it completes
 */
export async function setBan(
  { store, rooms, now }: BanDeps,
  { caller, id, requestId }: ManagerCall,
  { userId, kind = "ban", seconds, reason }: BanRequest,
): Promise<Ban> {
  await requireManaged(store, caller, id);
  const subject = await store.findMember(caller.app, id, userId);
  if (subject?.role === "owner")
    throw new ChatError("forbidden", { detail: "A channel's owner cannot be banned in it" });
  const createdAt = new Date(now());
  const until = seconds === undefined ? null : new Date(now() + seconds * 1_000);
  const ban: BanRecord = { userId, kind, until, reason: reason ?? null, createdBy: actorOf(caller), createdAt };
  const did = { action: "ban.set", channelId: id, subject: userId, detail: kind } as const;
  const { decidedAt } = await store.setBan(caller.app, id, ban, auditEntry({ caller, requestId, at: now() }, did));
  await rooms.orderRoom(caller.app, id, { order: kind, userId, requestId, until: until?.getTime() ?? null, decidedAt });
  return toBan(ban);
}

/** The bans and mutes in force. @throws {ChatError} `room_not_found`, `forbidden`, `storage_unavailable` */
export async function listBans(
  { store }: Pick<Deps, "store">,
  { caller, id }: Omit<ManagerCall, "requestId">,
  { after, limit = LIMITS.historyDefault }: { after?: UserId | undefined; limit?: number | undefined },
): Promise<BanPage> {
  await requireManaged(store, caller, id);
  const found = await store.listBans(caller.app, id, { after, limit: limit + 1 });
  const page = found.slice(0, limit);
  return { bans: page.map(toBan), next: found.length > limit ? (page.at(-1)?.userId ?? null) : null };
}

/** Ends a ban or mute; where there is none nothing happens. @throws {ChatError} as `setBan` */
export async function liftBan(
  { store, rooms, now }: BanDeps,
  { caller, id, requestId }: ManagerCall,
  userId: UserId,
): Promise<LiftReply> {
  await requireManaged(store, caller, id);
  const did = { action: "ban.lift", channelId: id, subject: userId } as const;
  const entry = auditEntry({ caller, requestId, at: now() }, did);
  const { lifted, decidedAt } = await store.liftBan(caller.app, id, userId, entry);
  await rooms.orderRoom(caller.app, id, { order: "lift", userId, requestId, decidedAt });
  return { userId, lifted };
}

function toBan({ userId, kind, until, reason, createdBy, createdAt }: BanRecord): Ban {
  return { userId, kind, until: until?.toISOString() ?? null, reason, createdBy, createdAt: createdAt.toISOString() };
}
