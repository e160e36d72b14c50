import type { RoomEvent } from "../../domain/ports/history.ts";
import { ClientMessageId, UserId } from "../../protocol/ids.ts";
import { START } from "./clock.ts";

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

/** The same as history holds it: long ago, and from a client that gave no id. */
export function storedEvent(seq: number, over: Partial<RoomEvent> = {}): RoomEvent {
  return eventAt(seq, { id: `msg-${seq}`, clientMessageId: null, at: START + seq, ...over });
}
