import { ChatError } from "../protocol/errors.ts";
import { OPEN_CHANNEL_TYPES } from "../protocol/http.ts";
import { type AppId, type ChannelId, LOBBY } from "../protocol/ids.ts";
import type { KeyCaller, UserCaller } from "./callers.ts";
import type { ChannelRecord, ChannelStore } from "./ports/channels.ts";
import type { MemberRecord } from "./ports/members.ts";

export interface Access {
  channel: ChannelRecord;
  /** Undefined for somebody who may see that the channel is there but has not joined it. */
  member: MemberRecord | undefined;
}

/**
 * The channel as far as the caller may know of it.
 *
 * @throws {ChatError} `room_not_found` alike when there is none and when it is closed to the caller; `storage_unavailable`
 */
export async function requireVisible(
  store: Pick<ChannelStore, "findChannel" | "findMember">,
  { app, userId }: UserCaller,
  id: ChannelId,
): Promise<Access> {
  const [found, member] = await Promise.all([store.findChannel(app, id), store.findMember(app, id, userId)]);
  const channel = found ?? (id === LOBBY ? lobbyOf(app) : undefined);
  if (channel === undefined || (member === undefined && !isOpen(channel))) throw new ChatError("room_not_found");
  return { channel, member };
}

/**
 * The channel, for whoever manages it: its owner, or a server of its app.
 *
 * @throws {ChatError} `room_not_found` as above; `forbidden` for others who may see it; `storage_unavailable`
 */
export async function requireManaged(
  store: Pick<ChannelStore, "findChannel" | "findMember">,
  caller: KeyCaller | UserCaller,
  id: ChannelId,
): Promise<void> {
  if (caller.by === "key") {
    if (id !== LOBBY && (await store.findChannel(caller.app, id)) === undefined) throw new ChatError("room_not_found");
    return;
  }
  const { member } = await requireVisible(store, caller, id);
  if (member?.role !== "owner") throw new ChatError("forbidden", { detail: "Only the channel's owner may do that" });
}

function isOpen({ type }: Pick<ChannelRecord, "type">): boolean {
  return OPEN_CHANNEL_TYPES.has(type);
}

// The lobby is there before anybody has been in it, and so before it has a row.
function lobbyOf(app: AppId): ChannelRecord {
  return {
    app,
    id: LOBBY,
    type: "lobby",
    name: "Lobby",
    createdBy: `app:${app}`,
    custom: {},
    createdAt: new Date(0),
    epoch: null,
    headSeq: 0,
  };
}
