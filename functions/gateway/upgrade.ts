import type { TokenKeys } from "../../domain/chat-tokens.ts";
import type { Settings } from "../../domain/config.ts";
import type { Log } from "../../domain/log.ts";
import type { Now } from "../../domain/ports/clock.ts";
import type { RefusedRequests } from "../../domain/refused-requests.ts";
import { type Entrance, openDoor } from "../../domain/socket-door.ts";
import { readRoomParameter } from "../../domain/socket-auth.ts";
import { acceptSocket } from "../../domain/sockets.ts";
import { WaitingRoom } from "../../domain/waiting-room.ts";
import { ClientConnection } from "./client-connection.ts";
import type { GatewayDeps } from "./deps.ts";
import { createDial } from "./dial.ts";

/** The part of a Worker's dependencies that the gateway is built from. */
export interface UpgradeDeps {
  settings: Settings;
  tokenKeys: TokenKeys;
  now: Now;
  log: Log;
  refused: RefusedRequests;
}

// One for each isolate, as are the sockets it counts.
const waiting = new WaitingRoom(Date.now);

/**
 * Answers `/ws`: one socket for all of a client's rooms, ended here at the nearest location. Never throws.
 *
 * What is refused before anyone is known gets an HTTP problem, anything about the token a socket that closes with a code.
 */
export function handleUpgrade(deps: UpgradeDeps, request: Request): Promise<Response> {
  const { settings, tokenKeys, now, log, refused } = deps;
  const dial = createDial(settings.PARTY_URL);
  return openGateway(
    { settings, tokenKeys, now, log, refused, random: Math.random, accept: acceptSocket, waiting, dial },
    request,
  );
}

/** The same with everything it needs of the world given. */
export function openGateway(deps: GatewayDeps, request: Request): Promise<Response> {
  const entrance: Entrance = {
    readRoom: readRoomParameter,
    enter: (guest) => {
      const { socket, response } = deps.accept(guest.subprotocol);
      new ClientConnection(deps, socket, guest);
      return response;
    },
    enterAccepted: (guest, socket, handOver) => {
      const { messages, closed } = handOver();
      if (closed) return;
      const connection = new ClientConnection(deps, socket, guest);
      for (const data of messages) connection.receive(data);
    },
  };
  return openDoor(deps, request, entrance);
}
