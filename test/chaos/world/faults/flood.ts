import { WebSocket } from "ws";
import type { Fault, Grounds } from "./injected.ts";

const SOCKETS = 3;
const EVERY_MS = 20;
/** Frames of one socket each time. */
const AT_ONCE = 3;
const OPEN_TIMEOUT_MS = 5_000;

/** Somebody asks one room for an answer, on a few sockets and hundreds of times a second. */
export const roomFlooded: Fault = async (grounds, { seed, rooms: [room = "lobby"] = [] }) => {
  const user = `chaos-flood-${seed}`;
  let heard = 0;
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => open(grounds, user, room)));
  for (const socket of sockets)
    socket.on("message", (data) => (heard += String(data).startsWith('{"type":"pong"') ? 1 : 0));
  const timer = setInterval(() => {
    for (const socket of sockets)
      if (socket.readyState === WebSocket.OPEN)
        for (let sent = 0; sent < AT_ONCE; sent++) socket.send('{"type":"ping"}');
  }, EVERY_MS);
  return async () => {
    clearInterval(timer);
    for (const socket of sockets) socket.terminate();
    return { hits: heard, what: `answers to who asked too much of ${room}` };
  };
};

async function open({ stack, clock }: Grounds, user: string, room: string): Promise<WebSocket> {
  const reply = await fetch(`${stack.apiUrl}/v1/token`, {
    method: "POST",
    headers: { authorization: `Bearer ${await clock.session(user)}` },
    signal: AbortSignal.timeout(OPEN_TIMEOUT_MS),
  });
  const { wsToken } = (await reply.json()) as { wsToken: string }; // the documented answer
  const url = `${stack.partyUrl.replace(/^http/, "ws")}/parties/main/${room}`;
  const socket = new WebSocket(url, ["chat.v1", `chat.token.${wsToken}`], { handshakeTimeout: OPEN_TIMEOUT_MS });
  socket.on("error", () => undefined); // then it has no part in it
  return socket;
}
