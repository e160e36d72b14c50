import { displayName } from "../protocol/content.ts";
import { ChatError } from "../protocol/errors.ts";
import type { Channel, ChannelPage, CreateChannelRequest } from "../protocol/http.ts";
import { type ChannelId, isChannelId, LOBBY, RESERVED_CHANNEL_IDS, type UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { actorOf } from "./audit-entry.ts";
import { type Caller, creatorOf, type UserCaller } from "./callers.ts";
import { requireVisible } from "./channel-access.ts";
import type { Deps } from "./deps.ts";
import type { ChannelRecord, NewChannel } from "./ports/channels.ts";
import type { MemberRecord } from "./ports/members.ts";
import { isSameJson } from "./same-json.ts";

/**
 * Creates a channel. Its creator becomes owner and member; an API key creates for its app and owns nothing. The same
 * request by the same creator again finds the channel there and changes nothing.
 *
 * @throws {ChatError} `bad_room_id`, `reserved_id`, `bad_request` without one id; `channel_exists` when the id is somebody
 *   else's, or one's own with other parameters; `storage_unavailable`, `driver_unavailable`
 */
export async function createChannel(
  { driver }: Pick<Deps, "driver">,
  caller: Caller,
  request: CreateChannelRequest,
  requestId: string,
): Promise<{ channel: Channel; created: boolean }> {
  const wanted = { ...toNewChannel(caller, request), asked: { actor: actorOf(caller), requestId } };
  const { channel, created, userIds, memberCount } = await driver.createChannel(wanted);
  if (!created) requireSame(channel, wanted, userIds, memberCount);
  const role = caller.by === "key" ? {} : { role: "owner" as const };
  const reply = { ...toChannel(channel), ...role, memberCount, members: userIds, custom: channel.custom };
  return { channel: reply, created };
}

/**
 * The caller's channels, ordered by id.
 *
 * @throws {ChatError} `storage_unavailable`
 */
export async function listChannels(
  { store }: Pick<Deps, "store">,
  { app, userId }: UserCaller,
  { after, limit = LIMITS.historyDefault }: { after?: ChannelId | undefined; limit?: number | undefined },
): Promise<ChannelPage> {
  const found = await store.listChannels(app, userId, { after, limit: limit + 1 });
  const page = found.slice(0, limit);
  return {
    channels: page.map(({ channel, member }) => ({ ...toChannel(channel), ...toPart(channel, member) })),
    next: found.length > limit ? (page.at(-1)?.channel.id ?? null) : null,
  };
}

/**
 * One channel: all of it for a member, that it is there for whoever may join it.
 *
 * @throws {ChatError} `room_not_found`, `storage_unavailable`
 */
export async function readChannel({ store }: Pick<Deps, "store">, caller: UserCaller, id: ChannelId): Promise<Channel> {
  const { channel, member } = await requireVisible(store, caller, id);
  if (member === undefined) return toChannel(channel);
  const { count, userIds } = await store.listMembers(caller.app, id, LIMITS.membersPerCreate);
  return {
    ...toChannel(channel),
    ...toPart(channel, member),
    memberCount: count,
    members: userIds,
    custom: channel.custom,
  };
}

function toNewChannel(caller: Caller, request: CreateChannelRequest): NewChannel {
  const id = readId(request);
  return {
    app: caller.app,
    id,
    type: request.type ?? "messaging",
    name: displayName(agreed("name", request.channel_name, request.name), id),
    createdBy: creatorOf(caller),
    members: [...new Set(request.members)],
    custom: request.custom ?? {},
  };
}

function readId(request: CreateChannelRequest): ChannelId {
  const id = agreed("channel_id", request.channel_id, request.channelId, request.roomId);
  if (id === undefined) throw new ChatError("bad_request", { detail: 'Cannot read "channel_id": is missing' });
  if (RESERVED_CHANNEL_IDS.has(id)) throw new ChatError("reserved_id");
  if (!isChannelId(id))
    throw new ChatError("bad_room_id", {
      detail: 'Cannot read "channel_id": must match [A-Za-z0-9_-], 1 to 64 characters',
    });
  if (id === LOBBY) throw new ChatError("channel_exists", { detail: "The lobby is there already, and is everybody's" });
  return id;
}

/** One value that may come under several names, as older clients have them. */
function agreed(field: string, ...given: (string | undefined)[]): string | undefined {
  const values = new Set(given.filter((value) => value !== undefined));
  if (values.size > 1) throw new ChatError("bad_request", { detail: `Cannot read "${field}": is given twice` });
  const [value] = values;
  return value;
}

function requireSame(there: ChannelRecord, wanted: NewChannel, userIds: readonly UserId[], memberCount: number): void {
  if (there.createdBy !== wanted.createdBy) throw new ChatError("channel_exists");
  const members = new Set(userIds);
  // Past what one answer lists there is no telling, and a retry must not fail for it.
  const hasMembers = memberCount > userIds.length || wanted.members.every((userId) => members.has(userId));
  const isSame =
    there.type === wanted.type && there.name === wanted.name && isSameJson(there.custom, wanted.custom) && hasMembers;
  if (!isSame) throw new ChatError("channel_exists", { detail: "You created that channel, with other parameters" });
}

function toChannel({ id, name, type, createdBy, createdAt, headSeq }: ChannelRecord): Channel {
  return {
    id,
    channelId: id,
    channel_id: id,
    name,
    channel_name: name,
    type,
    createdBy,
    createdAt: createdAt.toISOString(),
    seq: headSeq,
  };
}

function toPart(
  { headSeq }: ChannelRecord,
  { role, readSeq }: MemberRecord,
): Required<Pick<Channel, "role" | "readSeq" | "unread">> {
  return { role, readSeq, unread: Math.max(0, headSeq - readSeq) };
}
