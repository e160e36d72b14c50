import { ChatError } from "../protocol/errors.ts";
import { Since, SUBPROTOCOLS, TOKEN_SUBPROTOCOL_PREFIX, type Subprotocol } from "../protocol/frames.ts";
import { type ChannelId, isChannelId, LOBBY } from "../protocol/ids.ts";

/** The parts of a request that a door reads; a `Request` is one. */
export interface UpgradeRequest {
  method: string;
  url: string;
  headers: Pick<Headers, "get">;
}

/** What an upgrade brings along for the check of who it is. */
export interface Credentials {
  /** Undefined: the token has to come as first frame. */
  token: string | undefined;
  since: Since | undefined;
}

// A browser offers two; more than a few is somebody trying things out.
const PROTOCOLS_MAX = 8;
const PROTOCOL_TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const CHANNEL_PATH = /^[a-z]+:\/\/[^/?#]*\/parties\/main\/([A-Za-z0-9_-]{1,64})(?:\?|$)/;
const SINCE = /^([A-Za-z0-9_-]{1,32})\.(\d{1,16})$/;

/**
 * Checks that a request is a WebSocket upgrade we can serve, and chooses its subprotocol.
 *
 * @returns `chat.v1.lines` before `chat.v1`; undefined when none was offered. The token's entry is never chosen.
 * @throws {ChatError} `upgrade_required` without an upgrade, `bad_request` for another method or version and for offers of
 *   none but foreign, repeated, misspelt or too many subprotocols.
 */
export function readHandshake(request: UpgradeRequest): Subprotocol | undefined {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") throw new ChatError("upgrade_required");
  if (request.method !== "GET") throw new ChatError("bad_request", { detail: "A WebSocket is opened with GET" });
  const version = request.headers.get("sec-websocket-version");
  if (version !== null && version !== "13")
    throw new ChatError("bad_request", { detail: "Only version 13 of the WebSocket protocol is spoken here" });
  const offered = readProtocols(request);
  if (offered.length > PROTOCOLS_MAX || new Set(offered).size < offered.length || !offered.every(isProtocolToken))
    throw new ChatError("bad_request", { detail: "The offered subprotocols are malformed, repeated or too many" });
  const chosen = SUBPROTOCOLS.find((protocol) => offered.includes(protocol));
  // Browsers drop a socket whose offers were all passed over, so answering without a subprotocol would only hide this.
  if (chosen === undefined && offered.length > 0)
    throw new ChatError("bad_request", { detail: 'Offer the subprotocol "chat.v1" or "chat.v1.lines" (too)' });
  return chosen;
}

/**
 * The room that `/ws?roomId=` names, checked as it stands in the URL, before any decoding.
 *
 * @throws {ChatError} `bad_room_id`
 */
export function readRoomParameter(url: string): ChannelId {
  const named = readParameter(url, "roomId");
  if (named.length === 0) return LOBBY;
  const [roomId] = named;
  if (new Set(named).size > 1 || !isChannelId(roomId)) throw badRoomId();
  return roomId;
}

/**
 * The room that `/parties/main/<room>` names, checked as it stands in the URL: every other spelling of a name would be
 * another room object.
 *
 * @throws {ChatError} `bad_room_id`
 */
export function readRoomPath(url: string): ChannelId {
  const roomId = CHANNEL_PATH.exec(url)?.[1];
  if (!isChannelId(roomId)) throw badRoomId();
  return roomId;
}

/**
 * The token of an upgrade, from `Authorization: Bearer`, the subprotocol `chat.token.<jwt>` or `?token=`, and where the
 * client stopped reading.
 *
 * @throws {ChatError} `token_malformed` when two places disagree or one cannot be read, `bad_cursor` for a bad `since`.
 */
export function readCredentials(request: UpgradeRequest): Credentials {
  const tokens = new Set([
    ...[readBearer(request.headers.get("authorization")) ?? []].flat(),
    ...protocolTokens(request),
    ...readParameter(request.url, "token"),
  ]);
  if (tokens.size > 1) throw new ChatError("token_malformed", { detail: "Different tokens in one request" });
  const [token] = tokens;
  if (token === "") throw new ChatError("token_malformed");
  return { token, since: readSince(request.url) };
}

/**
 * The token of an `Authorization` header; undefined without one.
 *
 * @throws {ChatError} `token_malformed` for anything but exactly one Bearer token.
 */
export function readBearer(header: string | null): string | undefined {
  if (header === null) return undefined;
  const token = /^bearer ([^\s,]+)$/i.exec(header)?.[1];
  // Two headers arrive joined by a comma; neither that nor a space is in the alphabet of a token.
  if (token === undefined) throw new ChatError("token_malformed", { detail: "Send exactly one Bearer token" });
  return token;
}

function readSince(url: string): Since | undefined {
  const [raw, ...others] = readParameter(url, "since");
  if (raw === undefined) return undefined;
  return parseSince(others.length > 0 ? "" : raw);
}

/** @throws {ChatError} `bad_cursor` for what is not `<epoch>.<seq>`. */
export function parseSince(raw: string): Since {
  const match = SINCE.exec(raw);
  const parsed = Since.safeParse({ epoch: match?.[1], seq: Number(match?.[2]) });
  if (!parsed.success) throw new ChatError("bad_cursor", { detail: 'Cannot read "since": must be <epoch>.<seq>' });
  return parsed.data;
}

function protocolTokens(request: UpgradeRequest): string[] {
  return readProtocols(request)
    .filter((protocol) => protocol.startsWith(TOKEN_SUBPROTOCOL_PREFIX))
    .map((protocol) => protocol.slice(TOKEN_SUBPROTOCOL_PREFIX.length));
}

function readProtocols(request: UpgradeRequest): string[] {
  return (
    request.headers
      .get("sec-websocket-protocol")
      ?.split(",")
      .map((protocol) => protocol.trim()) ?? []
  );
}

function isProtocolToken(protocol: string): boolean {
  return PROTOCOL_TOKEN.test(protocol);
}

// Values as they stand in the URL: none of ours ever needs an escape, so one that has any is not one of ours.
function readParameter(url: string, name: string): string[] {
  const query = /\?([^#]*)/.exec(url)?.[1] ?? "";
  return query
    .split("&")
    .filter((pair) => pair === name || pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}

function badRoomId(): ChatError {
  return new ChatError("bad_room_id", { detail: "A room id must match [A-Za-z0-9_-], 1 to 64 characters" });
}
