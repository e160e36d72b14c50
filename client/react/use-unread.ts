import { useChatClient } from "./client-context.ts";
import { useRoomState } from "./use-room-state.ts";

/** How many messages of others there are after the own read mark. Joins the room while the component is mounted. */
export function useUnread(roomId: string): number {
  return useRoomState(useChatClient(), roomId, (state) => state.unread);
}
