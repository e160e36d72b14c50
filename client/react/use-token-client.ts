import { useCallback, useContext, useEffect, useRef, useSyncExternalStore } from "react";
import { ChatClient, type ChatClientOptions } from "../index.ts";
import { ClientContext } from "./client-context.ts";
import { keepConnected } from "./keep-connected.ts";
import { subjectOf } from "./subject-of.ts";

/** Where a client that is made for one token goes, and what with. */
export type TokenClientOptions = Pick<ChatClientOptions, "apiUrl" | "wsUrl" | "storage" | "platform">;

interface Shared {
  client: ChatClient;
  wsToken: string;
}

const shared = new Map<string, Shared>();

/**
 * The provider's client, or with a token one that all components with tokens of the same person share, connected while
 * there is one of them. There is none before the first effect, on a server, and while the token is empty.
 */
export function useTokenClient(wsToken: string | undefined, options: TokenClientOptions = {}): ChatClient | undefined {
  const provided = useContext(ClientContext);
  const { apiUrl, wsUrl } = options;
  const key = wsToken === undefined || wsToken === "" ? undefined : keyOf(wsToken, apiUrl, wsUrl);
  // The token and the rest of the options are read when the client is made; a newer token is handed over below.
  const latest = useRef({ ...options, wsToken: wsToken ?? "" });
  useEffect(() => {
    latest.current = { ...options, wsToken: wsToken ?? "" };
  });
  const subscribe = useCallback(() => (key === undefined ? () => undefined : share(key, latest.current)), [key]);
  const own = useSyncExternalStore(
    subscribe,
    () => (key === undefined ? undefined : shared.get(key)?.client),
    () => undefined,
  );
  useEffect(() => {
    const entry = key === undefined ? undefined : shared.get(key);
    if (entry === undefined || wsToken === undefined || entry.wsToken === wsToken) return;
    entry.wsToken = wsToken;
    entry.client.setTokens({ wsToken });
  }, [key, wsToken]);
  return wsToken === undefined ? provided : own;
}

function share(key: string, options: TokenClientOptions & { wsToken: string }): () => void {
  const entry = shared.get(key) ?? { client: new ChatClient(options), wsToken: options.wsToken };
  shared.set(key, entry);
  return keepConnected(entry.client, () => shared.delete(key));
}

function keyOf(wsToken: string, apiUrl: string | undefined, wsUrl: string | undefined): string {
  return JSON.stringify([subjectOf(wsToken), apiUrl, wsUrl]);
}
