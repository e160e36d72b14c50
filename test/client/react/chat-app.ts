import { cleanup } from "@testing-library/react";
import { createElement, Fragment, type ReactElement, type ReactNode } from "react";
import { afterEach, beforeEach } from "vitest";
import { WebSocket } from "ws";
import { type Chat, ChatProvider, type ChatProviderProps, useChat } from "../../../client/react/index.ts";
import type { ChatPlatform } from "../../../client/types.ts";
import { ack, joined, live, ScriptedServer, type ServerSide, welcome } from "../scripted-server.ts";

/** Sockets of Node, whatever the DOM of the test has; no delay before an attempt; and no HTTP. */
export const platform = {
  WebSocket,
  random: () => 0,
  fetch: () => Promise.reject(new TypeError("There is no HTTP in this test")),
} as unknown as Partial<ChatPlatform>; // ws has more than is asked for

/** A JWT of somebody's, with a signature that nobody checks. `turn` makes another token of the same person. */
export function tokenOf(userId: string, turn = 1): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256" })}.${part({ sub: userId, iat: turn, exp: turn + 86_400 })}.c2lnbmF0dXJl`;
}

/** Welcomes whoever the token names, puts them into every room they ask for, and tells them their own messages. */
export function hospitable(socket: ServerSide): void {
  const { sub } = JSON.parse(Buffer.from(socket.token.split(".")[1] ?? "", "base64url").toString()) as { sub: string };
  const enter = (roomId: unknown): void => socket.say(joined(0, { roomId }));
  let seq = 0;
  socket.onFrame = (frame) => {
    if (frame.type === "join_room") enter(frame["roomId"]);
    if (frame.type !== "message") return;
    const { roomId, content, clientMessageId } = frame;
    socket.say(ack(frame, ++seq), live(seq, { roomId, content, clientMessageId, userId: sub }));
  };
  welcome(socket, sub);
  enter(socket.url.searchParams.get("roomId") ?? "lobby");
}

/** Tokens of alice's, as a provider is given them. */
export const alice = { token: "rest", wsToken: tokenOf("alice") };

/** The server of the test that runs. */
export let server: ScriptedServer;

/** Every test of a file has a server of its own, which is hospitable, and leaves no component behind. */
export function startServerForEachTest(): void {
  beforeEach(startServer);
  afterEach(async () => {
    cleanup();
    await server.stop();
  });
}

export async function startServer(): Promise<void> {
  server = await ScriptedServer.start();
  server.onSocket = hospitable;
}

/** Components under a provider that is alice's, but for what `props` say. */
export function provided(props: Partial<ChatProviderProps>, ...children: ReactNode[]): ReactElement {
  const { apiUrl, wsUrl } = server;
  return createElement(ChatProvider, { apiUrl, wsUrl, platform, ...alice, ...props } as ChatProviderProps, ...children);
}

/** What a component was given last. */
export interface Seen {
  chat: Chat;
}

/** A view of one room, of the provider's client. */
export function Room({ roomId, seen }: { roomId: string; seen?: Seen }): ReactElement {
  return view(useChat(roomId), seen);
}

/** The same with a token of its own. */
export function TokenRoom(props: {
  token: string | null;
  roomId?: string;
  seen?: Seen;
  apiUrl?: string;
}): ReactElement {
  const { token, roomId, seen, apiUrl } = props;
  return view(useChat(token, roomId, { platform, ...(apiUrl !== undefined && { apiUrl }) }), seen);
}

function view(chat: Chat, seen: Seen | undefined): ReactElement {
  if (seen !== undefined) seen.chat = chat;
  const { messages, isConnected } = chat;
  return createElement(
    Fragment,
    {},
    createElement("p", { "data-testid": "state" }, isConnected ? "connected" : "not connected"),
    createElement(
      "ul",
      {},
      messages.map(({ key, content, state }) => createElement("li", { key }, `${content} (${state})`)),
    ),
  );
}
