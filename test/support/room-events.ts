import type { RoomEvent } from "../../domain/ports/history.ts";
import { ClientMessageId, UserId } from "../../protocol/ids.ts";

export const user = (id: string): UserId => UserId.parse(id);
export const clientId = (id: string): ClientMessageId => ClientMessageId.parse(id);

/** A message of alice's, at this place of the order; its time is its place. */
export function eventAt(seq: number, over: Partial<RoomEvent> = {}): RoomEvent {
  return {
    seq,
    epoch: "e1",
    kind: "message",
    id: `id-${seq}`,
    userId: user("alice"),
    username: "Alice",
    clientMessageId: clientId(`client-${seq}`),
    content: `message ${seq}`,
    at: seq,
    ...over,
  };
}
