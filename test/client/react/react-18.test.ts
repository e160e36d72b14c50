// @vitest-environment happy-dom
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import type * as NewestReact from "react";
import type { createRoot } from "react-dom/client";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type * as ChatReact from "../../../client/react/index.ts";
import { ScriptedServer } from "../scripted-server.ts";
import { hospitable, platform, tokenOf } from "./chat-app.ts";

// As apps that stay with React 18 have it: everything bundled with that version in place of the one that is tested else.
const APP = `
  export * as React from "react";
  export { createRoot } from "react-dom/client";
  export * from "parley/react";`;

type App = { React: typeof NewestReact; createRoot: typeof createRoot } & typeof ChatReact;

let folder: string;
let app: App;
let server: ScriptedServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-react-18-"));
  const outfile = join(folder, "app.cjs");
  await build({
    stdin: { contents: APP, resolveDir: resolve(".") },
    alias: { react: "react-18", "react-dom": "react-dom-18", "parley/react": resolve("client/react/index.ts") },
    define: { "process.env.NODE_ENV": '"development"' },
    bundle: true,
    format: "cjs",
    outfile,
    logLevel: "error",
  });
  app = createRequire(import.meta.url)(outfile) as App; // what is exported above
  server = await ScriptedServer.start();
  server.onSocket = hospitable;
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

it("S3-11 chats with React 18, in StrictMode, on one socket that ends when it is taken down", async () => {
  const { React, createRoot, ChatProvider, useChat, usePresence, useUnread } = app;
  const { createElement: h, StrictMode } = React;
  expect(React.version).toMatch(/^18\./);
  let chat: ReturnType<typeof useChat> | undefined;
  const Room = () => {
    chat = useChat("lobby");
    const { memberCount } = usePresence("lobby");
    const texts = chat.messages.map(({ content, state }) => `${content} (${state})`);
    return h("p", {}, `${chat.status}, ${memberCount} here, ${useUnread("lobby")} unread: ${texts.join()}`);
  };
  const { apiUrl, wsUrl } = server;
  const options = { apiUrl, wsUrl, platform, token: "rest", wsToken: tokenOf("alice") };
  const container = document.createElement("div");
  const root = createRoot(container);
  root.render(h(StrictMode, {}, h(ChatProvider, options, h(Room))));
  const shows = (text: string) => vi.waitFor(() => expect(container.textContent).toBe(text), { timeout: 8_000 });
  await shows("joined, 1 here, 0 unread: ");
  await chat?.sendMessage("hello from React 18");
  await shows("joined, 1 here, 0 unread: hello from React 18 (sent)");
  expect(server.sockets).toMatchObject([{ closed: undefined }]);
  root.unmount();
  await server.until(() => server.sockets[0]?.closed, "the end of the socket");
  expect(server.sockets).toHaveLength(1);
});
