import { useCallback } from "react";
import type { Typist } from "../index.ts";
import { useChatClient } from "./client-context.ts";
import { findRoom, useRoomState } from "./use-room-state.ts";

export interface Typing {
  /** Others who type just now. */
  typing: readonly Typist[];
  /** Call it with `true` on every key stroke: it is sent only as often as needed, and ends by itself. */
  setTyping: (isTyping: boolean) => void;
}

/** Who types in a room. Joins the room while the component is mounted. */
export function useTyping(roomId: string): Typing {
  const client = useChatClient();
  const typing = useRoomState(client, roomId, (state) => state.typing);
  const setTyping = useCallback((isTyping: boolean) => findRoom(client, roomId)?.typing(isTyping), [client, roomId]);
  return { typing, setTyping };
}
