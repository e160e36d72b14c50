import { displayName } from "../protocol/content.ts";
import { ChatError } from "../protocol/errors.ts";
import type { Since } from "../protocol/frames.ts";
import { OPEN_CHANNEL_TYPES } from "../protocol/http.ts";
import { AppId, ChannelId, RESERVED_CHANNEL_IDS } from "../protocol/ids.ts";
import type { ChatClaims } from "../domain/chat-tokens.ts";
import { parseSince, readBearer } from "../domain/socket-auth.ts";
import type { RoomDeps } from "./deps.ts";
import { KEYS, KeptBan, type RoomIdentity } from "./kept.ts";
import type { RoomStorage } from "./platform.ts";

/** What the edge hands over: it has rebuilt the request, and the room trusts none of it but the token. */
export interface Knock {
  claims: ChatClaims;
  username: string;
  app: AppId;
  channelId: ChannelId;
  since: Since | undefined;
  /** Tokens of theirs that were issued before this are revoked; 0 when none are. */
  notBefore: number;
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
export function readRoomAddress(
  url: string,
): { app: AppId; channelId: ChannelId; verb: string | undefined } | undefined {
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
  const path = readRoomAddress(request.url);
  if (path === undefined || path.app !== claims.app || RESERVED_CHANNEL_IDS.has(path.channelId))
    throw new ChatError("room_not_found");
  const since = request.headers.get("x-parley-since");
  return {
    claims,
    username: displayName(claims.name, claims.userId),
    app: path.app,
    channelId: path.channelId,
    since: since === null ? undefined : parseSince(since),
    notBefore: Number(request.headers.get("x-parley-not-before") ?? 0),
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
  /** Until then they may not write; 0 when they may, and `Infinity` until it is lifted. */
  mutedUntil: number;
}

/**
 * How the user stands to the channel.
 *
 * @throws {ChatError} `banned`; `token_revoked` for a token that was revoked while its user was here; `forbidden` for
 *   somebody who is not in a closed channel
 */
export async function findStanding(
  { store, now }: Pick<RoomDeps, "store" | "now">,
  storage: RoomStorage,
  { app, channelId, type }: RoomIdentity,
  { userId, issuedAt }: Pick<ChatClaims, "userId" | "issuedAt">,
): Promise<Standing> {
  const kept = await storage.get([KEYS.member(userId), KEYS.read(userId), KEYS.ban(userId), KEYS.out(userId)]);
  if (issuedAt < Number(kept.get(KEYS.out(userId)) ?? 0)) throw new ChatError("token_revoked");
  const ban = readBan(kept.get(KEYS.ban(userId)), now());
  if (ban?.kind === "ban") throw new ChatError("banned");
  const readSeq = Number(kept.get(KEYS.read(userId)) ?? 0);
  const standing = { readSeq, mutedUntil: mutedUntil(ban) };
  if (kept.has(KEYS.member(userId))) return { ...standing, known: true, joins: false };
  if (OPEN_CHANNEL_TYPES.has(type)) return { ...standing, known: false, joins: true };
  const member = await store.findMember(app, channelId, userId);
  if (member === undefined) throw new ChatError("forbidden");
  return { ...standing, known: false, joins: false, readSeq: Math.max(readSeq, member.readSeq) };
}

/** A ban or mute that is kept, if it has not ended. One that has stays where it is: the clock may be wrong, and go back. */
export function readBan(kept: unknown, now: number): KeptBan | undefined {
  if (kept === undefined) return undefined;
  const ban = KeptBan.parse(kept);
  if (ban.kind === "lifted") return undefined;
  return ban.until === null || ban.until > now ? ban : undefined;
}

/** What sockets of somebody carry who is muted, or not. */
export function mutedUntil(ban: KeptBan | undefined): number {
  return ban?.kind === "mute" ? (ban.until ?? Infinity) : 0;
}
