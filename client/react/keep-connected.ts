import type { ChatClient } from "../index.ts";

const users = new WeakMap<ChatClient, number>();

/**
 * Connects a client while at least one component needs it. Returns how to stop needing it.
 *
 * The last one to leave disconnects it, but only after this turn of the event loop: StrictMode and fast refresh take a
 * component down and put it up again at once, and that must not cost a socket.
 */
export function keepConnected(client: ChatClient, onReleased?: () => void): () => void {
  users.set(client, (users.get(client) ?? 0) + 1);
  connectIfIdle(client);
  let released = false;
  return () => {
    if (released) return;
    released = true;
    users.set(client, (users.get(client) ?? 1) - 1);
    afterThisTurn(() => {
      if (users.get(client) !== 0) return;
      users.delete(client);
      onReleased?.();
      client.disconnect();
    });
  };
}

/** Runs `act` when React is through with taking down and putting up. */
export function afterThisTurn(act: () => void): void {
  setTimeout(act, 0);
}

function connectIfIdle(client: ChatClient): void {
  if (client.connectionState !== "idle" && client.connectionState !== "stopped") return;
  // Why it failed is told by the connection's state, which `useConnection` and the provider's fallback show.
  client.connect().catch(() => undefined);
}
