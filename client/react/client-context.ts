import { createContext, useContext } from "react";
import type { ChatClient } from "../index.ts";

export const ClientContext = createContext<ChatClient | undefined>(undefined);

/**
 * The client of the nearest `ChatProvider`.
 *
 * @throws {Error} When there is none around the component.
 */
export function useChatClient(): ChatClient {
  const client = useContext(ClientContext);
  if (client === undefined) throw new Error("Cannot find a chat client: put a <ChatProvider> around this component");
  return client;
}
