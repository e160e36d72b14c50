import type { Person } from "../index.ts";
import { useChatClient } from "./client-context.ts";
import { useRoomState } from "./use-room-state.ts";

export interface Presence {
  /** Who is here, or a sample of them in a large room. Others who were seen lately have the status `offline`. */
  members: readonly Person[];
  /** How many are here, however many are listed. */
  memberCount: number;
}

/** Who is in a room. Joins the room while the component is mounted. */
export function usePresence(roomId: string): Presence {
  const client = useChatClient();
  const members = useRoomState(client, roomId, (state) => state.members);
  const memberCount = useRoomState(client, roomId, (state) => state.memberCount);
  return { members, memberCount };
}
