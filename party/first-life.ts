import type { BanRecord } from "../domain/ports/bans.ts";
import type { ChannelRecord } from "../domain/ports/channels.ts";
import type { RoomEvent } from "../domain/ports/history.ts";
import { ChatError } from "../protocol/errors.ts";
import { LOBBY, type UserId } from "../protocol/ids.ts";
import type { RoomDeps } from "./deps.ts";
import { type KeptBan, KEYS, type OutboxRecord, type RoomHead, type RoomIdentity } from "./kept.ts";

/** How many of the newest events a room that has lost its storage reads back, with their client ids. */
const OLDER_MAX = 1_000;
/** A page of the longest messages stays under 2 MB. */
const OLDER_PAGE = 250;
/** More than any channel will ever have, and what one answer of the store can hold. */
const BANS_MAX = 10_000;

/** What a room starts with, and all of it as it is written to storage in one go. */
export interface FirstLife {
  identity: RoomIdentity;
  head: RoomHead;
  outbox: OutboxRecord;
  entries: Record<string, unknown>;
}

/**
 * Asks Postgres what the room is, once in its life: later it knows. A room that has lost its storage goes on where history
 * ends, in an order of its own: clients see by the new epoch that their positions mean nothing any more.
 *
 * @throws {ChatError} `room_not_found`; `storage_unavailable` when Postgres does not answer, because guessing a room's type
 *   or its head would let the wrong people in or number two messages alike.
 */
export async function beginLife(
  deps: RoomDeps,
  room: Pick<RoomIdentity, "app" | "channelId">,
  userId: UserId,
): Promise<FirstLife> {
  const channel = await findOrCreateChannel(deps, room, userId);
  const [older, bans] = await Promise.all([
    readHistoryEnd(deps, channel),
    deps.store.listBans(room.app, room.channelId, { limit: BANS_MAX }),
  ]);
  const epoch = deps.newId().replaceAll("-", "").slice(0, 16);
  const identity = { app: room.app, channelId: room.channelId, type: channel.type, epoch };
  const head = { seq: channel.headSeq, at: older.at(-1)?.at ?? 0 };
  const outbox = { storedSeq: head.seq, failures: 0, nextTryAt: 0, failingMs: 0 };
  const events = Object.fromEntries(older.map((event) => [KEYS.event(event.seq), event]));
  const banned = Object.fromEntries(bans.map((ban) => [KEYS.ban(ban.userId), toKeptBan(ban)]));
  const entries = { [KEYS.identity]: identity, [KEYS.head]: head, [KEYS.outbox]: outbox, ...events, ...banned };
  return { identity, head, outbox, entries };
}

function toKeptBan({ kind, until }: BanRecord): KeptBan {
  return { kind, until: until?.getTime() ?? null, decidedAt: 0 };
}

async function findOrCreateChannel(
  { store, settings }: RoomDeps,
  { app, channelId }: Pick<RoomIdentity, "app" | "channelId">,
  userId: UserId,
): Promise<ChannelRecord> {
  const found = await store.findChannel(app, channelId);
  if (found !== undefined) return found;
  const isLobby = channelId === LOBBY;
  if (!isLobby && !settings.ROOMS_AUTO_CREATE) throw new ChatError("room_not_found");
  const { channel } = await store.createChannel({
    app,
    id: channelId,
    type: isLobby ? "lobby" : "messaging",
    name: isLobby ? "Lobby" : channelId,
    createdBy: isLobby ? `app:${app}` : userId,
    members: [],
    custom: {},
    ...(isLobby && { asked: { actor: "system", requestId: null } }),
  });
  return channel;
}

/** The newest events of history, for those who join and for those who send again: the unbroken run up to its head. */
async function readHistoryEnd({ store }: RoomDeps, { app, id, headSeq }: ChannelRecord): Promise<RoomEvent[]> {
  let events: RoomEvent[] = [];
  while (events.length < OLDER_MAX) {
    const before = events[0]?.seq ?? headSeq + 1;
    const page = await store.listEvents(app, id, { before, limit: OLDER_PAGE });
    const run = unbrokenRun(page, before);
    events = [...run, ...events];
    if (run.length < OLDER_PAGE) break;
  }
  return events;
}

/** What ends right before `before`. A row that history never took leaves a hole, and the log has none. */
function unbrokenRun(page: readonly RoomEvent[], before: number): RoomEvent[] {
  const from = page.findLastIndex(({ seq }, at) => seq !== before - page.length + at);
  return page.slice(from + 1);
}
