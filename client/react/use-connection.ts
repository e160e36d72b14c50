import { useCallback, useSyncExternalStore } from "react";
import type { ChatClient, ConnectionChange } from "../index.ts";
import { useChatClient } from "./client-context.ts";

const IDLE: ConnectionChange = { state: "idle" };

/** The connection of the provider's client: its state, and in `waiting` or `stopped` when and why. For a banner. */
export function useConnection(): ConnectionChange {
  return useConnectionOf(useChatClient());
}

export function useConnectionOf(client: ChatClient): ConnectionChange {
  const subscribe = useCallback(
    (changed: () => void) => {
      const listening = client.on("connection", changed);
      return () => listening.remove();
    },
    [client],
  );
  return useSyncExternalStore(
    subscribe,
    () => client.connection,
    () => IDLE,
  );
}
