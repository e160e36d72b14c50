import { ChatError } from "../../protocol/errors.ts";
import type { Since } from "../../protocol/frames.ts";
import type { ChannelId } from "../../protocol/ids.ts";
import { type ServerSocket, socketOf } from "../../domain/sockets.ts";

/** Opens a socket to a room, not yet accepted. */
export type Dial = (roomId: ChannelId, token: string, since: Since | undefined) => Promise<ServerSocket>;

const ANSWER_TIMEOUT_MS = 8_000;
// The runtime lets six connections of an invocation wait for response headers; one is left for whoever else needs it.
const WAITING_MAX = 5;

/**
 * Dials rooms at the party host the way any client does: a gateway's socket is an ordinary connection.
 *
 * @throws {ChatError} `rooms_unavailable` from the returned function, when no WebSocket comes back in time.
 */
export function createDial(partyUrl: string): Dial {
  return async (roomId, token, since) => {
    const url = new URL(`/parties/main/${roomId}`, partyUrl);
    if (since !== undefined) url.searchParams.set("since", `${since.epoch}.${since.seq}`);
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), ANSWER_TIMEOUT_MS);
    try {
      const response = await fetch(url, {
        headers: { upgrade: "websocket", authorization: `Bearer ${token}`, "sec-websocket-protocol": "chat.v1.lines" },
        redirect: "manual",
        signal: abort.signal,
      });
      const socket = socketOf(response);
      if (socket !== undefined) return socket;
      await response.body?.cancel();
      throw new ChatError("rooms_unavailable");
    } catch (cause) {
      throw cause instanceof ChatError ? cause : new ChatError("rooms_unavailable", { cause });
    } finally {
      clearTimeout(timer); // an abort after the answer would cut the socket
    }
  };
}

/** The same dial, with at most so many attempts waiting for an answer at a time; the others take their turn. */
export function limitDial(dial: Dial, waitingMax: number = WAITING_MAX): Dial {
  let waiting = 0;
  const queue: (() => void)[] = [];
  const enter = (): Promise<void> | void => {
    if (waiting >= waitingMax) return new Promise<void>((resolve) => queue.push(resolve));
    waiting++;
  };
  const leave = (): void => {
    const next = queue.shift();
    if (next === undefined) waiting--;
    else next(); // who waited longest takes over the place
  };
  return async (...call) => {
    await enter();
    try {
      return await dial(...call);
    } finally {
      leave();
    }
  };
}
