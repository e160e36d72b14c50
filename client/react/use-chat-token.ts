import { useContext, useEffect, useState, useSyncExternalStore } from "react";
import { ClientContext } from "./client-context.ts";
import { type ChatTokenOptions, NO_TOKEN, TokenKeeper, type TokenState } from "./token-keeper.ts";
import { useUnauthorized } from "./unauthorized.ts";

export interface ChatTokenResult extends TokenState {
  /** Asks for new tokens now. Resolves when they are there or `error` says why not; never rejects. */
  refreshToken: () => Promise<void>;
}

/**
 * Tokens from your own backend, fetched when the component is mounted and again at 5/6 of their life (20 hours of 24).
 * Give `token.token` and `token.wsToken` to a `ChatProvider`, and `refreshToken` to its `onUnauthorized`; under a provider
 * the hook hears of refused tokens by itself. A provider with `getToken` needs none of this.
 */
export function useChatToken(options: ChatTokenOptions = {}): ChatTokenResult {
  const [keeper] = useState(() => new TokenKeeper(options));
  useEffect(() => {
    keeper.use(options);
  });
  const state = useSyncExternalStore(
    keeper.subscribe,
    () => keeper.state,
    () => NO_TOKEN,
  );
  useUnauthorized(useContext(ClientContext), keeper.refresh);
  return { ...state, refreshToken: keeper.refresh };
}
