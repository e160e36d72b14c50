// @vitest-environment happy-dom
import * as refresh from "./refresh.ts"; // before React DOM
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { createElement as h, type ReactElement, useState } from "react";
import { afterEach, expect, it } from "vitest";
import { type Chat, useChat } from "../../../client/react/index.ts";
import { live } from "../scripted-server.ts";
import { platform, provided, server, startServerForEachTest, tokenOf } from "./chat-app.ts";

const EDITS = 50;

startServerForEachTest();
// Before the server is taken away.
afterEach(async () => {
  cleanup();
  await server.until(() => open() === 0, "the end of every socket");
});

const made = () => server.sockets.length;
const open = () => server.sockets.filter(({ closed }) => closed === undefined).length;

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
  return saved("app.tsx", () => h("div", {}, text, provided({}, h(view))), [], isMountedAnew);
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
  const socket = await server.socket();
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
  const socket = await server.socket();
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
