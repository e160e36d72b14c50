import type { Early } from "../domain/first-frame.ts";
import { closeQuietly, sendQuietly, type ServerSocket } from "../domain/sockets.ts";

/**
 * Joins a client's socket, already accepted, to a room's, not yet accepted: what one says the other hears, closes and
 * their codes included. A client that has gone in the meantime closes the room's socket at once.
 */
export function pipe(client: ServerSocket, room: ServerSocket, { messages, closed }: Early): void {
  connect(client, room);
  connect(room, client);
  room.accept();
  for (const data of messages) forward(room, data);
  if (closed) closeQuietly(room, 1000);
}

function connect(from: ServerSocket, to: ServerSocket): void {
  from.addEventListener("message", ({ data }) => forward(to, data));
  from.addEventListener("close", ({ code, reason }) => {
    closeQuietly(from, code, reason);
    closeQuietly(to, code, reason);
  });
  from.addEventListener("error", () => closeQuietly(to, 1011));
}

// Binary frames go on as they are: the room is the one to refuse them.
function forward(to: ServerSocket, data: unknown): void {
  sendQuietly(to, data as string); // whatever one socket received the other can send
}
