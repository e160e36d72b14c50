import { displayName } from "../protocol/content.ts";
import { ChatError } from "../protocol/errors.ts";
import { Since } from "../protocol/frames.ts";
import { OPEN_CHANNEL_TYPES } from "../protocol/http.ts";
import { AppId, ChannelId, RESERVED_CHANNEL_IDS, type UserId } from "../protocol/ids.ts";
import type { ChatClaims } from "../domain/chat-tokens.ts";
import { readBearer } from "../domain/socket-auth.ts";
import type { RoomDeps } from "./deps.ts";
import { KEYS, type RoomIdentity } from "./kept.ts";
import type { RoomStorage } from "./platform.ts";

/** What the edge hands over: it has rebuilt the request, and the room trusts none of it but the token. */
export interface Knock {
  claims: ChatClaims;
  username: string;
  app: AppId;
  channelId: ChannelId;
  since: Since | undefined;
  /** The client takes several frames in one WebSocket message. */
  lines: boolean;
}

/** The parts of an upgrade request that a room reads. */
export interface UpgradeRequest {
  url: string;
  headers: Pick<Headers, "get">;
}

const ROOM_PATH = /^\/parties\/main\/([a-z0-9-]{1,32})(?::|%3A)([A-Za-z0-9_-]{1,64})(?:\/([a-z]{1,16})?)?$/;

/** The app, channel and verb that a room's own address names; undefined for any other address. */
export function readRoomPath(url: string): { app: AppId; channelId: ChannelId; verb: string | undefined } | undefined {
  const match = ROOM_PATH.exec(new URL(url).pathname);
  const app = AppId.safeParse(match?.[1]);
  const channelId = ChannelId.safeParse(match?.[2]);
  return app.success && channelId.success ? { app: app.data, channelId: channelId.data, verb: match?.[3] } : undefined;
}

/** @throws {ChatError} `token_missing`, `token_malformed` */
export function requireBearer(headers: Pick<Headers, "get">): string {
  const token = readBearer(headers.get("authorization"));
  if (token === undefined) throw new ChatError("token_missing");
  return token;
}

/**
 * Who knocks, and at which room. The token is verified again here, so that a mistake at the edge opens nothing.
 *
 * @throws {ChatError} the verifier's codes, `room_not_found` for another app's room, `bad_cursor`
 */
export async function readKnock(deps: RoomDeps, request: UpgradeRequest): Promise<Knock> {
  const claims = await deps.verify("ws", requireBearer(request.headers));
  const path = readRoomPath(request.url);
  if (path === undefined || path.app !== claims.app || RESERVED_CHANNEL_IDS.has(path.channelId))
    throw new ChatError("room_not_found");
  return {
    claims,
    username: displayName(claims.name, claims.userId),
    app: path.app,
    channelId: path.channelId,
    since: readSince(request.headers.get("x-parley-since")),
    lines: request.headers.get("sec-websocket-protocol") === "chat.v1.lines",
  };
}

/** How somebody stands to the channel when they come. */
export interface Standing {
  /** The room knows them already, so Postgres was not asked. */
  known: boolean;
  /** They become a member of an open channel by joining. */
  joins: boolean;
  readSeq: number;
}

/**
 * How the user stands to the channel.
 *
 * @throws {ChatError} `forbidden` for somebody who is not in a closed channel.
 */
export async function findStanding(
  deps: RoomDeps,
  storage: RoomStorage,
  { app, channelId, type }: RoomIdentity,
  userId: UserId,
): Promise<Standing> {
  const kept = await storage.get([KEYS.member(userId), KEYS.read(userId)]);
  const readSeq = Number(kept.get(KEYS.read(userId)) ?? 0);
  if (kept.has(KEYS.member(userId))) return { known: true, joins: false, readSeq };
  if (OPEN_CHANNEL_TYPES.has(type)) return { known: false, joins: true, readSeq };
  const member = await deps.store.findMember(app, channelId, userId);
  if (member === undefined) throw new ChatError("forbidden");
  return { known: false, joins: false, readSeq: Math.max(readSeq, member.readSeq) };
}

function readSince(raw: string | null): Since | undefined {
  if (raw === null) return undefined;
  const [, epoch, seq] = /^([^.]*)\.(\d{1,16})$/.exec(raw) ?? [];
  const since = Since.safeParse({ epoch, seq: Number(seq) });
  if (!since.success) throw new ChatError("bad_cursor");
  return since.data;
}
