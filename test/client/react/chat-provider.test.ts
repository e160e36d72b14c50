// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/react";
import { createElement as h, StrictMode } from "react";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ChatClient } from "../../../client/index.ts";
import { ChatProvider, type ChatProviderProps, useChatClient, useConnection } from "../../../client/react/index.ts";
import { ScriptedServer } from "../scripted-server.ts";
import { hospitable, platform, Room, tokenOf } from "./chat-app.ts";

let server: ScriptedServer;
beforeEach(async () => {
  server = await ScriptedServer.start();
  server.onSocket = hospitable;
});
afterEach(async () => {
  cleanup();
  await server.stop();
});

function app(props: Partial<ChatProviderProps> = {}, roomId = "lobby") {
  const { apiUrl, wsUrl } = server;
  const own = { apiUrl, wsUrl, platform, token: "rest", wsToken: tokenOf("alice"), ...props };
  return h(ChatProvider, own as ChatProviderProps, h(Room, { roomId }));
}

it("S0-10 S3-9 gives its client to the components below, with the addresses and tokens of its props", async () => {
  render(app());
  await screen.findByText("connected");
  expect(server.sockets).toMatchObject([{ token: tokenOf("alice") }]);
});
