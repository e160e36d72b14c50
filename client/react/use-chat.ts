import { useMemo } from "react";
import { ChatError, type ChatClient, type ChatMessage, type ChatRoom, type RoomState, type Sent } from "../index.ts";
import { findRoom, useRoomState } from "./use-room-state.ts";
import { type TokenClientOptions, useTokenClient } from "./use-token-client.ts";

/** A room as a component shows it. The functions stay the same ones while the room does. */
export interface Chat {
  /** In order: what is sent, then what is on its way. */
  messages: readonly ChatMessage[];
  /** Whether the socket is up and the room joined. What is sent before waits and goes out then. */
  isConnected: boolean;
  /**
   * Shows the message at once and sends it. Nobody has to look at the promise: one that is refused stays in `messages`
   * as `failed`.
   *
   * @throws {ChatError} Rejects with why the message was refused.
   */
  sendMessage: (content: string) => Promise<Sent>;
  /** The room itself, for what is not here. Not there before the first effect, and on a server. */
  room: ChatRoom | undefined;
  status: RoomState["status"];
  /** Why the room cannot be joined, when `status` is `refused`. */
  error: RoomState["error"];
  /** Whether there is more history before the first message. */
  hasMore: boolean;
  /** Puts older messages before the first one. Resolves to whether there are more. */
  loadMore: (limit?: number) => Promise<boolean>;
  /** Sends a failed message again, under the same id. */
  retry: (clientMessageId: string) => Promise<Sent>;
  /** Takes a message that was not sent out of the list. */
  discard: (clientMessageId: string) => void;
  /** Marks everything up to `seq` as read; without it everything there is. */
  markRead: (seq?: number) => void;
  unread: number;
}

/**
 * One room of the provider's client. Joins it while the component is mounted.
 *
 * @param roomId Default `lobby`.
 */
export function useChat(roomId?: string): Chat;
/**
 * One room without a provider, with a `wsToken` alone. Components with tokens of the same person share one socket.
 *
 * @param token While it is empty or null there is no connection.
 * @param roomId Default `lobby`.
 */
export function useChat(token: string | null, roomId?: string, options?: TokenClientOptions): Chat;
export function useChat(...args: [(string | null)?, string?, TokenClientOptions?]): Chat {
  const { token, roomId } = readArguments(args);
  const client = useTokenClient(token, args[2]);
  if (token === undefined && client === undefined)
    throw new Error("Cannot chat without a token: give one, or put a <ChatProvider> around this component");
  const state = useRoomState(client, roomId, (state) => state);
  const actions = useMemo(() => actionsOf(client, roomId), [client, roomId]);
  return {
    messages: state.messages,
    isConnected: state.status === "joined",
    room: findRoom(client, roomId),
    status: state.status,
    error: state.error,
    hasMore: state.hasMore,
    unread: state.unread,
    ...actions,
  };
}

/** One argument alone may be either: a token is a JWT and has two dots, and there is no dot in a room's id. */
function readArguments([first, second]: [(string | null)?, string?, TokenClientOptions?]): {
  token: string | undefined;
  roomId: string;
} {
  const isRoom = second === undefined && (first === undefined || (first !== null && !first.includes(".")));
  return isRoom ? { token: undefined, roomId: first ?? "lobby" } : { token: first ?? "", roomId: second ?? "lobby" };
}

function actionsOf(
  client: ChatClient | undefined,
  roomId: string,
): Pick<Chat, "sendMessage" | "loadMore" | "retry" | "discard" | "markRead"> {
  const inRoom = <Result>(act: (room: ChatRoom) => Promise<Result>): Promise<Result> => {
    const room = findRoom(client, roomId);
    return room === undefined ? Promise.reject(new ChatError("stopped", "The room is not joined")) : act(room);
  };
  return {
    sendMessage: (content) => looked(inRoom((room) => room.send(content))),
    loadMore: (limit) => inRoom((room) => room.history(limit)),
    retry: (id) => looked(inRoom((room) => room.retry(id))),
    discard: (id) => findRoom(client, roomId)?.discard(id),
    markRead: (seq) => findRoom(client, roomId)?.markRead(seq),
  };
}

/** A failed message is shown as one, so a promise that nobody looks at is no mistake. */
function looked<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}
