import * as z from "zod/mini";
import { verifyChatToken } from "../domain/chat-tokens.ts";
import { problemResponse } from "../domain/problem.ts";
import { readBearer, readHandshake, readRoomPath } from "../domain/socket-auth.ts";
import { type Entrance, type Guest, openDoor } from "../domain/socket-door.ts";
import { acceptSocket, closeWith, socketOf, upgradeResponse } from "../domain/sockets.ts";
import { WaitingRoom } from "../domain/waiting-room.ts";
import { ChatError, closeFor, type ErrorCode } from "../protocol/errors.ts";
import { Problem } from "../protocol/http.ts";
import { RESERVED_CHANNEL_IDS, roomKey } from "../protocol/ids.ts";
import { type EdgeSetup, setUpEdge } from "./edge-setup.ts";
import { pipe } from "./pipe.ts";

/** What the party Worker's static hooks get of PartyKit. */
export interface Lobby {
  env: Record<string, unknown>;
  parties: Record<string, { get(key: string): RoomStub }>;
}
interface RoomStub {
  fetch(path: string, init: RequestInit): Promise<unknown>;
}

/** The room's own addresses that our Worker may ask. */
const VERBS: ReadonlySet<string> = new Set(["tail", "presence", "ping"]);
const INTERNAL_PATH =
  /^([a-z]+:\/\/[^/?#]*\/parties\/main\/[A-Za-z0-9_-]+)\/([a-z]+)(\?(?:(?:before|after|limit)=\d{1,16}&?)+)?$/;

const Refusal = z.pick(Problem, { code: true });

// One for each isolate, as are the sockets it counts.
const waiting = new WaitingRoom(Date.now);

/**
 * The door of a room's socket: whoever gets past it is verified, and the room sees a request made here from nothing of
 * theirs but the token. Never throws: PartyKit shows an error's text to the client.
 */
export async function onBeforeConnect(request: Request, lobby: Lobby): Promise<Response> {
  try {
    const setup = await setUpEdge(lobby.env);
    if (setup === undefined) return closedDoor(request);
    return await openDoor({ ...setup, accept: acceptSocket, now: Date.now, waiting }, request, entranceOf(lobby));
  } catch (error) {
    return problemResponse(error);
  }
}

/** Rooms answer plain requests of our own Worker only; to everybody else there is nothing here. */
export async function onBeforeRequest(request: Request, lobby: Lobby): Promise<Response> {
  try {
    const setup = await setUpEdge(lobby.env);
    if (setup === undefined) throw new ChatError("config_invalid");
    return await askRoom(setup, request, lobby);
  } catch (error) {
    return problemResponse(error);
  }
}

/** Whatever does not name a room. */
export function onFetch(request: Request): Response {
  if (request.method === "GET" && new URL(request.url).pathname === "/healthz")
    return Response.json({ status: "ok" }, { headers: { "cache-control": "no-store" } });
  return problemResponse(new ChatError("not_found"));
}

function entranceOf(lobby: Lobby): Entrance {
  return {
    readRoom: readRoomPath,
    enter: async (guest) => {
      const refusal = await findRefusal(lobby, guest);
      if (refusal !== undefined) return refuse(guest, refusal);
      return upgradeResponse(await callRoom(lobby, guest), guest.subprotocol);
    },
    enterAccepted: async (guest, socket, handOver) => pipe(socket, await callRoom(lobby, guest), handOver()),
  };
}

async function askRoom(setup: EdgeSetup, request: Request, lobby: Lobby): Promise<Response> {
  const [, roomUrl, verb = "", query = ""] = INTERNAL_PATH.exec(request.url) ?? [];
  const authorization = request.headers.get("authorization");
  if (roomUrl === undefined || authorization === null || request.method !== "GET" || !VERBS.has(verb))
    throw new ChatError("not_found");
  const roomId = readRoomPath(roomUrl);
  const app = await verifyInternal(setup, request);
  const answer = await roomOf(lobby, roomKey(app, roomId)).fetch(`/${verb}${query}`, { headers: { authorization } });
  return answer as Response; // a room's fetch answers with one
}

// Not even whether a token was wrong or missing is told: outside, these addresses do not exist.
async function verifyInternal({ tokenKeys }: EdgeSetup, request: Request) {
  try {
    const token = readBearer(request.headers.get("authorization")) ?? "";
    return (await verifyChatToken(tokenKeys, "internal", token, Date.now())).app;
  } catch (cause) {
    throw new ChatError("not_found", { cause });
  }
}

/**
 * Why the room would not have the guest. Asked first, because a socket that a sleeping room closes before its client has
 * said anything hears the code at once, but its connection is left open and the client's own `close` event comes late.
 */
async function findRefusal(lobby: Lobby, guest: Guest): Promise<ErrorCode | undefined> {
  if (RESERVED_CHANNEL_IDS.has(guest.roomId)) return "room_not_found";
  const answer = (await roomFor(lobby, guest).fetch("/admission", { headers: headersFor(guest) })) as Response; // as below
  if (answer.status === 204) return undefined;
  const refusal = Refusal.safeParse(await answer.json());
  return refusal.success ? refusal.data.code : "internal";
}

function refuse({ subprotocol }: Guest, code: ErrorCode): Response {
  const { socket, response } = acceptSocket(subprotocol);
  closeWith(socket, closeFor(code));
  return response;
}

function headersFor({ token, since }: Guest): Headers {
  const headers = new Headers({ authorization: `Bearer ${token}` });
  if (since !== undefined) headers.set("x-parley-since", `${since.epoch}.${since.seq}`);
  return headers;
}

function roomFor(lobby: Lobby, { claims, roomId }: Guest): RoomStub {
  return roomOf(lobby, roomKey(claims.app, roomId));
}

async function callRoom(lobby: Lobby, guest: Guest) {
  if (RESERVED_CHANNEL_IDS.has(guest.roomId)) throw new ChatError("room_not_found");
  const headers = headersFor(guest);
  headers.set("upgrade", "websocket");
  headers.set("sec-websocket-protocol", guest.subprotocol ?? "chat.v1");
  const answer = await roomFor(lobby, guest).fetch(`/?_pk=${crypto.randomUUID()}`, { headers });
  const socket = socketOf(answer as Response); // a room's fetch answers with one
  if (socket === undefined) throw new ChatError("rooms_unavailable");
  return socket;
}

function roomOf(lobby: Lobby, key: string): RoomStub {
  const stub = lobby.parties["main"]?.get(key);
  if (stub === undefined) throw new ChatError("internal");
  return stub;
}

// Browsers would take a refused upgrade for a network that is down, and a missing subprotocol for a broken server.
function closedDoor(request: Request): Response {
  const { socket, response } = acceptSocket(readHandshake(request));
  closeWith(socket, "internal", "config_invalid");
  return response;
}
