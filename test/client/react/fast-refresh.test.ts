// @vitest-environment happy-dom
import { createElement as h, type ReactElement, useState } from "react";
import * as refresh from "react-refresh/runtime";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type Chat, ChatProvider, useChat } from "../../../client/react/index.ts";
import { live, ScriptedServer } from "../scripted-server.ts";
import { hospitable, platform, tokenOf } from "./chat-app.ts";

refresh.injectIntoGlobalHook(globalThis);
// Only now React DOM, which looks for the hook when it is loaded.
const { act, cleanup, fireEvent, render, screen } = await import("@testing-library/react");

const EDITS = 50;

let server: ScriptedServer;
let first = 0;
beforeAll(async () => {
  server = await ScriptedServer.start();
  server.onSocket = hospitable;
});
afterEach(async () => {
  cleanup();
  await server.until(() => open() === 0, "the end of every socket");
  first = server.sockets.length;
});
afterAll(() => server.stop());

const open = () => server.sockets.filter(({ closed }) => closed === undefined).length;
const made = () => server.sockets.length - first;

type Component = () => ReactElement;

/** What a bundler makes of a module that was saved: another function under the same name. */
function saved(name: string, component: Component, hooks: unknown[], isMountedAnew: boolean): Component {
  const sign = refresh.createSignatureFunctionForTransform();
  const signed: Component = () => {
    sign();
    return component();
  };
  sign(signed, name, isMountedAnew, () => hooks);
  refresh.register(signed, name);
  return signed;
}

/** A conversation as its file says now, with a state of its own. */
function conversation(text: string, chat: () => Chat, { isMountedAnew = false } = {}): Component {
  const component: Component = () => {
    const { messages, isConnected } = chat();
    const [clicks, setClicks] = useState(0);
    const said = messages.map(({ content }) => content).join();
    const words = `${text}: ${isConnected ? "connected" : "not connected"}, ${clicks} clicks, ${said}`;
    return h("button", { onClick: () => setClicks(clicks + 1) }, words);
  };
  return saved("conversation.tsx", component, [useChat], isMountedAnew);
}

function app(text: string, view: Component, { isMountedAnew = false } = {}): Component {
  const { apiUrl, wsUrl } = server;
  const provider = { apiUrl, wsUrl, platform, token: "rest", wsToken: tokenOf("alice") };
  return saved("app.tsx", () => h("div", {}, text, h(ChatProvider, provider, h(view))), [], isMountedAnew);
}

const ofProvider = (): Chat => useChat("lobby");
const ofToken = (): Chat => useChat(tokenOf("bob"), "lobby", { platform, apiUrl: server.apiUrl });
const swap = () => act(() => void refresh.performReactRefresh());
const connected = (text: string) => screen.findByText(new RegExp(`${text}: connected`));

it.each([
  ["under a provider", (view: Component) => app("", view), ofProvider],
  ["with a token", (view: Component) => view, ofToken],
])("S0-12 a component %s that is edited in place keeps its state and its one socket", async (_where, around, chat) => {
  render(h(around(conversation("before", chat))));
  fireEvent.click(await connected("before"));
  for (let edit = 1; edit <= EDITS; edit++) {
    conversation(`edit ${edit}`, chat);
    swap();
  }
  screen.getByText(`edit ${EDITS}: connected, 1 clicks,`);
  const socket = await server.socket(first);
  socket.say(live(1, { content: "after the edits" }));
  await screen.findByText(`edit ${EDITS}: connected, 1 clicks, after the edits`);
  expect([made(), open(), socket.all("join_room"), socket.all("leave_room")]).toEqual([1, 1, [], []]);
});

it.each([
  ["under a provider", (view: Component) => app("", view), ofProvider],
  ["with a token", (view: Component) => view, ofToken],
])("S0-12 a component %s that is mounted anew stays in its room, on its one socket", async (_where, around, chat) => {
  render(h(around(conversation("before", chat, { isMountedAnew: true }))));
  fireEvent.click(await connected("before"));
  for (let edit = 1; edit <= EDITS; edit++) {
    conversation(`edit ${edit}`, chat, { isMountedAnew: true });
    swap();
  }
  await screen.findByText(`edit ${EDITS}: connected, 0 clicks,`); // the state is gone: it was another component
  const socket = await server.socket(first);
  expect([made(), open(), socket.all("join_room"), socket.all("leave_room")]).toEqual([1, 1, [], []]);
});

it("S0-12 a provider that is edited around keeps its socket, and one that is mounted anew leaves none behind", async () => {
  const view = conversation("view", ofProvider);
  render(h(app("before", view)));
  await connected("view");
  app("edited", view);
  swap();
  screen.getByText("edited");
  expect([made(), open()]).toEqual([1, 1]);
  for (let edit = 1; edit <= EDITS; edit++) {
    app(`anew ${edit}`, view, { isMountedAnew: true });
    swap();
    if (edit % 5 === 0) await connected("view"); // others are taken down while they connect
  }
  screen.getByText(`anew ${EDITS}`);
  await connected("view");
  await server.until(() => open() === 1, "the end of every socket but one");
  expect(made()).toBeGreaterThan(EDITS / 5);
});
