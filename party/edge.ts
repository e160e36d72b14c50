import * as z from "zod/mini";
import { problemResponse } from "../domain/problem.ts";
import { readHandshake, readRoomPath } from "../domain/socket-auth.ts";
import { type Entrance, type Guest, openDoor, turnAway } from "../domain/socket-door.ts";
import { acceptSocket, closeWith, socketOf, upgradeResponse } from "../domain/sockets.ts";
import { WaitingRoom } from "../domain/waiting-room.ts";
import { ChatError } from "../protocol/errors.ts";
import { Problem } from "../protocol/http.ts";
import { RESERVED_CHANNEL_IDS, roomKey } from "../protocol/ids.ts";
import { setUpEdge } from "./edge-setup.ts";
import { readInternal } from "./internal.ts";
import { jsonPost, type Lobby, objectOf, type ObjectStub } from "./lobby.ts";
import type { VisitReply } from "./person.ts";
import { pipe } from "./pipe.ts";
import { takeBack, visit } from "./visiting.ts";

/** The room's own addresses that our Worker may ask, and how. */
const VERBS = new Map([
  ["tail", "GET"],
  ["presence", "GET"],
  ["ping", "GET"],
  ["people", "POST"],
  ["lists", "POST"],
]);
const INTERNAL_PATH =
  /^([a-z]+:\/\/[^/?#]*\/parties\/main\/[A-Za-z0-9_-]+)\/([a-z]+)(\?(?:(?:before|after|limit)=\d{1,16}&?)+)?$/;

const Refused = z.pick(Problem, { code: true });

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
    return await askRoom(request, lobby);
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
      const admission = await requireAdmission(lobby, guest).catch(asRefusal);
      if (admission instanceof ChatError) return refuse(guest, admission);
      return upgradeResponse(await callRoom(lobby, guest, admission), guest.subprotocol);
    },
    enterAccepted: async (guest, socket, handOver) => {
      const admission = await visit(lobby, guest);
      pipe(socket, await callRoom(lobby, guest, admission), handOver());
    },
  };
}

async function askRoom(request: Request, lobby: Lobby): Promise<Response> {
  const [, roomUrl, verb = "", query = ""] = INTERNAL_PATH.exec(request.url) ?? [];
  if (roomUrl === undefined || request.method !== VERBS.get(verb)) throw new ChatError("not_found");
  const roomId = readRoomPath(roomUrl);
  const { app, authorization, text } = await readInternal(request, lobby);
  const init = text === "" ? { headers: { authorization } } : jsonPost(JSON.parse(text), authorization);
  const answer = await objectOf(lobby, "main", roomKey(app, roomId)).fetch(`/${verb}${query}`, init);
  return answer as Response; // a room's fetch answers with one
}

/**
 * Asks the person's object and then the room whether the guest may come in. The room is asked before its socket is
 * opened, because a socket that a sleeping room closes before its client has said anything hears the code at once, but its
 * connection is left open and the client's own `close` event comes late.
 *
 * @throws {ChatError} why not
 */
async function requireAdmission(lobby: Lobby, guest: Guest): Promise<VisitReply> {
  if (RESERVED_CHANNEL_IDS.has(guest.roomId)) throw new ChatError("room_not_found");
  // One after the other: a room that is asked may create its channel, which whoever is banned everywhere must not bring about.
  const admission = await visit(lobby, guest);
  try {
    await askRoomAdmission(lobby, guest);
  } catch (error) {
    await takeBack(lobby, guest, admission, error);
    throw error;
  }
  return admission;
}

async function askRoomAdmission(lobby: Lobby, guest: Guest): Promise<void> {
  const answer = (await roomFor(lobby, guest).fetch("/admission", { headers: headersFor(guest) })) as Response; // as above
  if (answer.status === 204) return;
  const refused = Refused.safeParse(await answer.json());
  throw new ChatError(refused.success ? refused.data.code : "internal");
}

function asRefusal(error: unknown): ChatError {
  return error instanceof ChatError ? error : new ChatError("internal", { cause: error });
}

function refuse({ subprotocol }: Guest, error: ChatError): Response {
  const { socket, response } = acceptSocket(subprotocol);
  turnAway(socket, error);
  return response;
}

function headersFor({ token, since }: Guest): Headers {
  const headers = new Headers({ authorization: `Bearer ${token}` });
  if (since !== undefined) headers.set("x-parley-since", `${since.epoch}.${since.seq}`);
  return headers;
}

function roomFor(lobby: Lobby, { claims, roomId }: Guest): ObjectStub {
  return objectOf(lobby, "main", roomKey(claims.app, roomId));
}

async function callRoom(lobby: Lobby, guest: Guest, { notBefore }: VisitReply) {
  if (RESERVED_CHANNEL_IDS.has(guest.roomId)) throw new ChatError("room_not_found");
  const headers = headersFor(guest);
  headers.set("x-parley-not-before", String(notBefore));
  headers.set("upgrade", "websocket");
  headers.set("sec-websocket-protocol", guest.subprotocol ?? "chat.v1");
  const answer = await roomFor(lobby, guest).fetch(`/?_pk=${crypto.randomUUID()}`, { headers });
  const socket = socketOf(answer as Response); // a room's fetch answers with one
  if (socket === undefined) throw new ChatError("rooms_unavailable");
  return socket;
}

// Browsers would take a refused upgrade for a network that is down, and a missing subprotocol for a broken server.
function closedDoor(request: Request): Response {
  const { socket, response } = acceptSocket(readHandshake(request));
  closeWith(socket, "internal", "config_invalid");
  return response;
}
