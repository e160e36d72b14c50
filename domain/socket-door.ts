import { ChatError, closeFor } from "../protocol/errors.ts";
import type { Since, Subprotocol } from "../protocol/frames.ts";
import type { ChannelId } from "../protocol/ids.ts";
import { TIMES } from "../protocol/limits.ts";
import { type ChatClaims, type TokenKeys, verifyChatToken } from "./chat-tokens.ts";
import { type Early, FirstFrame } from "./first-frame.ts";
import { isAllowedOrigin, type OriginSettings } from "./origins.ts";
import type { Now } from "./ports/clock.ts";
import { problemResponse } from "./problem.ts";
import { type Credentials, readCredentials, readHandshake } from "./socket-auth.ts";
import { type AcceptedSocket, closeWith, type ServerSocket } from "./sockets.ts";
import type { WaitingRoom } from "./waiting-room.ts";

export interface DoorDeps {
  settings: OriginSettings;
  tokenKeys: TokenKeys;
  now: Now;
  accept(subprotocol: Subprotocol | undefined): AcceptedSocket;
  waiting: WaitingRoom;
}

/** Somebody who has shown a valid `wsToken`, and what they asked for. */
export interface Guest {
  claims: ChatClaims;
  token: string;
  roomId: ChannelId;
  since: Since | undefined;
  subprotocol: Subprotocol | undefined;
  /** What the client calls itself, for the log: printable, and cut short. */
  userAgent: string | undefined;
}

/** What is behind a door: the gateway, or a room. */
export interface Entrance {
  /** @throws {ChatError} `bad_room_id` */
  readRoom(url: string): ChannelId;
  /** Answers the upgrade of a guest whose token came with the request. */
  enter(guest: Guest): Response | Promise<Response>;
  /** Takes over a socket whose token came as first frame. */
  enterAccepted(guest: Guest, socket: ServerSocket, handOver: () => Early): void | Promise<void>;
}

const USER_AGENT_MAX_CHARS = 120;

/**
 * Answers an upgrade, by the rules both doors share: what can be told before anyone is known is refused in HTTP, and
 * whatever concerns the token is accepted and then closed with a code, because browsers cannot see a refused upgrade.
 * Never throws.
 */
export async function openDoor(deps: DoorDeps, request: Request, entrance: Entrance): Promise<Response> {
  try {
    if (!isAllowedOrigin(deps.settings, request.headers.get("origin"))) throw new ChatError("bad_origin");
    const subprotocol = readHandshake(request);
    const roomId = entrance.readRoom(request.url);
    return await admit(deps, request, entrance, { roomId, subprotocol, userAgent: readUserAgent(request) });
  } catch (error) {
    return problemResponse(error);
  }
}

async function admit(
  deps: DoorDeps,
  request: Request,
  entrance: Entrance,
  asked: Omit<Guest, "claims" | "token" | "since">,
): Promise<Response> {
  try {
    const { token, since } = readCredentials(request);
    if (token !== undefined) return await entrance.enter(await identify(deps, { ...asked, token, since }));
    return admitLater(deps, request, entrance, { ...asked, since });
  } catch (error) {
    if (error instanceof ChatError && error.code === "rate_limited") throw error;
    const { socket, response } = deps.accept(asked.subprotocol);
    turnAway(socket, error);
    return response;
  }
}

/** @throws {ChatError} `rate_limited` when too many sockets of this address wait for their token already. */
function admitLater(
  deps: DoorDeps,
  request: Request,
  entrance: Entrance,
  asked: Omit<Guest, "claims" | "token">,
): Response {
  // Only Cloudflare writes this header; where it is missing there is no address to count by.
  const address = request.headers.get("cf-connecting-ip");
  const leave = address === null ? () => {} : deps.waiting.enter(address);
  if (leave === undefined) throw new ChatError("rate_limited", { retryAfterMs: TIMES.authFrameMs });
  const { socket, response } = deps.accept(asked.subprotocol);
  const firstFrame = new FirstFrame(socket, asked.subprotocol === "chat.v1.lines");
  const meet = async (): Promise<void> => {
    const token = await firstFrame.token.finally(leave);
    const guest = await identify(deps, { ...asked, token });
    await entrance.enterAccepted(guest, socket, () => firstFrame.handOver());
  };
  meet().catch((error: unknown) => turnAway(socket, error));
  return response;
}

async function identify(deps: DoorDeps, asked: Omit<Guest, "claims"> & Credentials): Promise<Guest> {
  return { ...asked, claims: await verifyChatToken(deps.tokenKeys, "ws", asked.token, deps.now()) };
}

function readUserAgent({ headers }: Request): string | undefined {
  return headers
    .get("user-agent")
    ?.replace(/[^ -~]/g, "")
    .slice(0, USER_AGENT_MAX_CHARS);
}

/** Closes the socket with the code that says what to do about `error`. */
export function turnAway(socket: ServerSocket, error: unknown): void {
  if (error instanceof ChatError) closeWith(socket, closeFor(error.code), error.message);
  else closeWith(socket, "internal");
}
