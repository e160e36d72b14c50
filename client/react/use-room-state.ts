import { useCallback, useSyncExternalStore } from "react";
import type { ChatClient, ChatRoom, RoomState } from "../index.ts";

/** What a room looks like before it is joined, and on a server. */
export const UNJOINED: RoomState = {
  status: "joining",
  messages: [],
  hasMore: false,
  members: [],
  memberCount: 0,
  typing: [],
  unread: 0,
  readMarks: {},
  head: 0,
};

/**
 * One part of a room's state. The room is joined while a component shows any part of it; the client counts them.
 *
 * @param pick Must return the same thing for the same state, as a property of it is.
 */
export function useRoomState<Part>(
  client: ChatClient | undefined,
  roomId: string,
  pick: (state: RoomState) => Part,
): Part {
  const subscribe = useCallback(
    (changed: () => void) => {
      if (client === undefined) return () => undefined;
      const room = client.join(roomId);
      const listening = room.on("change", changed);
      return () => {
        listening.remove();
        room.leave();
      };
    },
    [client, roomId],
  );
  return useSyncExternalStore(
    subscribe,
    () => pick(findRoom(client, roomId)?.state ?? UNJOINED),
    () => pick(UNJOINED),
  );
}

/** The room, while it is joined. */
export function findRoom(client: ChatClient | undefined, roomId: string): ChatRoom | undefined {
  return client?.rooms.find(({ id }) => id === roomId);
}
