import { ChatError } from "../protocol/errors.ts";
import { type AppId, type ChannelId, roomKey } from "../protocol/ids.ts";
import { PersonOrder, type RoomOrder } from "../domain/orders.ts";
import { problemResponse } from "../domain/problem.ts";
import { within } from "../domain/within.ts";
import { readInternal } from "./internal.ts";
import { jsonPost, type Lobby, objectOf } from "./lobby.ts";
import { OrderReply } from "./person.ts";
import { askPerson } from "./person-link.ts";

const ORDERS_PATH = /^[a-z]+:\/\/[^/?#]*\/parties\/people\/orders$/;
/** Rooms that are told at a time. */
const TOLD_AT_ONCE = 50;
const ROOM_PATIENCE_MS = 1_500;

/** No person takes sockets. */
export function onBeforeConnect(): Response {
  return problemResponse(new ChatError("not_found"));
}

/**
 * Carries out what our Worker has decided about a person: first where they would come in, then in every room where they may
 * be. Outside there is nothing at this address. Never throws.
 */
export async function onBeforeRequest(request: Request, lobby: Lobby): Promise<Response> {
  try {
    if (!ORDERS_PATH.test(request.url) || request.method !== "POST") throw new ChatError("not_found");
    const { app, authorization, text } = await readInternal(request, lobby);
    const order = PersonOrder.parse(JSON.parse(text));
    const { rooms } = await askPerson(OrderReply, lobby, app, order.userId, "order", order);
    const failed = await tellRooms(lobby, app, rooms, toRoomOrder(order), authorization);
    if (failed > 0) throw new ChatError("rooms_unavailable");
    return Response.json({ rooms: rooms.length });
  } catch (error) {
    return problemResponse(error);
  }
}

/** Nothing for rooms to do when a ban is lifted. */
function toRoomOrder({ userId, requestId, revokedBefore, ban }: PersonOrder): RoomOrder | undefined {
  if (revokedBefore === undefined) return undefined;
  const isBan = ban !== undefined && ban !== null;
  return { order: isBan ? "expel" : "revoke", userId, requestId, before: revokedBefore };
}

/** @returns how many rooms could not be told. */
async function tellRooms(
  lobby: Lobby,
  app: AppId,
  rooms: readonly ChannelId[],
  order: RoomOrder | undefined,
  authorization: string,
): Promise<number> {
  if (order === undefined) return 0;
  let failed = 0;
  for (let at = 0; at < rooms.length; at += TOLD_AT_ONCE) {
    const told = rooms
      .slice(at, at + TOLD_AT_ONCE)
      .map((roomId) => within(ROOM_PATIENCE_MS, tellRoom(lobby, app, roomId, order, authorization)));
    for (const { status } of await Promise.allSettled(told)) if (status === "rejected") failed++;
  }
  return failed;
}

async function tellRoom(
  lobby: Lobby,
  app: AppId,
  roomId: ChannelId,
  order: RoomOrder,
  authorization: string,
): Promise<void> {
  const room = objectOf(lobby, "main", roomKey(app, roomId));
  const answer = (await room.fetch("/people", jsonPost(order, authorization))) as Response; // a room answers with one
  if (answer.status !== 200) throw new ChatError("rooms_unavailable");
}
