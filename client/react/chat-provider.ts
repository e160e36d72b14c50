import { createElement, type ReactElement, type ReactNode } from "react";
import type { ChatClient, ChatClientOptions } from "../index.ts";
import { ClientContext } from "./client-context.ts";
import { useUnauthorized } from "./unauthorized.ts";
import { useConnectionOf } from "./use-connection.ts";
import { useOwnedClient } from "./use-owned-client.ts";

/** Why there is no chat, for a fallback to show. */
export interface ChatProblem {
  error: Error;
  /** Tries once more; the children come back while that is under way. */
  retry: () => void;
}

interface CommonProps {
  children?: ReactNode;
  /**
   * Shown in place of the children when the chat cannot go on by itself: wrong options, or a final refusal. Without it
   * the children stay and `useConnection` tells, and wrong options are thrown to the nearest error boundary.
   */
  fallback?: ReactNode | ((problem: ChatProblem) => ReactNode);
  /** Tokens were refused or ended, and there is no `getToken` that could get others. Give new ones as props. */
  onUnauthorized?: (event: { error: Error }) => void | Promise<void>;
}

/** A client of the app's own, which the app connects and disconnects, or what to make one of. */
export type ChatProviderProps = CommonProps & ({ client: ChatClient } | (ChatClientOptions & { client?: never }));

/**
 * Gives a chat client to the components below it. Without `client` it makes one, connects it while it is mounted and
 * disconnects it when it is taken down. Another `apiUrl`, `wsUrl` or another person's tokens replace that client; new
 * tokens of the same person do not. `storage` and `platform` are read once.
 *
 * @example
 *   <ChatProvider apiUrl="https://chat.example.com/api" getToken={fetchTokens} fallback={<p>No chat today.</p>}>
 *     <Conversation />
 *   </ChatProvider>
 */
export function ChatProvider(props: ChatProviderProps): ReactElement {
  const owned = useOwnedClient(props.client === undefined ? optionsOf(props) : undefined);
  const client = props.client ?? owned.client;
  useUnauthorized(client, props.onUnauthorized);
  const { fallback, children } = props;
  if (client !== undefined)
    return createElement(
      ClientContext.Provider,
      { value: client },
      createElement(UnlessStopped, { client, fallback }, children),
    );
  const error = owned.error ?? new Error("Cannot make a chat client");
  if (fallback === undefined) throw error;
  return createElement(Fallback, { fallback, problem: { error, retry: owned.reopen } });
}

interface UnlessStoppedProps extends Pick<CommonProps, "fallback" | "children"> {
  client: ChatClient;
}

function UnlessStopped({ client, fallback, children }: UnlessStoppedProps): ReactNode {
  const { state, error = new Error("The chat has stopped") } = useConnectionOf(client);
  if (state !== "stopped" || fallback === undefined) return children;
  // Whether it worked is told by the connection's state.
  const retry = () => void client.connect().catch(() => undefined);
  return createElement(Fallback, { fallback, problem: { error, retry } });
}

function Fallback({ fallback, problem }: { fallback: CommonProps["fallback"]; problem: ChatProblem }): ReactNode {
  return typeof fallback === "function" ? fallback(problem) : fallback;
}

function optionsOf(props: CommonProps & ChatClientOptions): ChatClientOptions {
  const { children: _children, fallback: _fallback, onUnauthorized: _told, ...options } = props;
  return options;
}
