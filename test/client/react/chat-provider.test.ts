// @vitest-environment happy-dom
import { act, render, screen } from "@testing-library/react";
import { Component, createElement as h, type ReactNode, StrictMode } from "react";
import { describe, expect, it, vi } from "vitest";
import { ChatClient } from "../../../client/index.ts";
import { ChatProvider, useChatClient, useConnection } from "../../../client/react/index.ts";
import { alice, hospitable, platform, provided, Room, server, startServerForEachTest, tokenOf } from "./chat-app.ts";

startServerForEachTest();

const app = (props: object = {}, child: ReactNode = h(Room, { roomId: "lobby" })) => provided(props, child);

const closed = (nth: number) => server.until(() => server.sockets[nth]?.closed, `the end of socket ${nth}`);
const connected = () => screen.findByText("connected");
const openSockets = () => server.sockets.filter((socket) => socket.closed === undefined).length;

describe("ChatProvider", () => {
  it("S0-10 S3-9 connects with the addresses and tokens of its props, for all components below", async () => {
    render(app({}, [h(Room, { key: 1, roomId: "lobby" }), h(Room, { key: 2, roomId: "den" })]));
    await vi.waitFor(() => expect(screen.getAllByText("connected")).toHaveLength(2));
    expect(server.sockets).toMatchObject([{ token: alice.wsToken }]);
  });

  it("S0-10 asks getToken once, and the newest one when it is written inline", async () => {
    const first = vi.fn<() => Promise<object>>(() => new Promise(() => undefined));
    const later = vi.fn<() => Promise<object>>(() => Promise.resolve(alice));
    const props = { token: undefined, wsToken: undefined };
    const { rerender } = render(app({ ...props, getToken: () => later() }));
    rerender(app({ ...props, getToken: () => later() }));
    await connected();
    rerender(app({ ...props, getToken: () => first() }));
    expect([later.mock.calls.length, first.mock.calls.length, server.sockets.length]).toEqual([1, 0, 1]);
  });

  it("S0-10 lets components reach the backend with the token for HTTP", async () => {
    const answer = { channels: [], next: null };
    const fetch = vi.fn<typeof globalThis.fetch>(() => Promise.resolve(Response.json(answer)));
    let client: ChatClient | undefined;
    const Reader = () => {
      client = useChatClient();
      return null;
    };
    render(app({ platform: { ...platform, fetch } }, h(Reader)));
    expect(await client?.channels()).toEqual(answer);
    const [url, init] = fetch.mock.calls.at(-1) ?? [];
    expect(url).toBe(`${server.apiUrl}/v1/channels`);
    expect(new Headers(init?.headers).get("authorization")).toBe("Bearer rest");
  });

  it("S0-12 disconnects when it is taken down", async () => {
    const { unmount } = render(app());
    await connected();
    unmount();
    expect(await closed(0)).toBe(1000);
  });

  it("S0-12 takes a socket down that was not open yet", async () => {
    const { unmount } = render(app());
    await server.socket();
    unmount();
    await closed(0);
    expect(openSockets()).toBe(0);
  });

  it("opens one socket under StrictMode, where everything is mounted twice", async () => {
    const { unmount } = render(h(StrictMode, {}, app()));
    await connected();
    expect(server.sockets).toHaveLength(1);
    unmount();
    await closed(0);
  });

  it("hands new tokens of the same person to the client that is there", async () => {
    const { rerender } = render(app());
    await connected();
    const wsToken = tokenOf("alice", 2);
    rerender(app({ wsToken }));
    expect(await server.frame(await server.socket(), "refresh")).toMatchObject({ token: wsToken });
    expect(server.sockets).toHaveLength(1);
  });

  it.each([
    ["another person's tokens", () => ({ wsToken: tokenOf("bob") })],
    ["another address", () => ({ wsUrl: `${server.wsUrl}/other` })],
  ])("replaces the client for %s, and leaves no socket behind", async (_what, change) => {
    const { rerender } = render(app());
    await connected();
    rerender(app(change()));
    await server.socket(1);
    await closed(0);
    await connected();
    expect([server.sockets.length, openSockets()]).toEqual([2, 1]);
  });

  it("neither connects nor disconnects a client that is the app's own", async () => {
    const client = new ChatClient({ ...alice, apiUrl: server.apiUrl, platform });
    const { unmount } = render(h(ChatProvider, { client }, h(Room, { roomId: "lobby" })));
    expect(client.connectionState).toBe("idle");
    await act(() => client.connect());
    await connected();
    unmount();
    await new Promise((done) => setTimeout(done, 0));
    expect(client.connectionState).toBe("online");
    client.disconnect();
  });

  it("tells a component that has no provider around it", () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect(() => render(h(Room, { roomId: "lobby" }))).toThrow("<ChatProvider>");
    error.mockRestore();
  });
});

describe("ChatProvider's fallback", () => {
  const fallback = ({ error, retry }: { error: Error; retry: () => void }) =>
    h("button", { onClick: retry }, `No chat: ${error.name}`);

  it("S0-11 stands in for the children when the server refuses for good, and can try again", async () => {
    server.onSocket = (socket) => socket.close(4503);
    render(app({ fallback }));
    const button = await screen.findByRole("button", { name: "No chat: ChatError" });
    expect(screen.queryByTestId("state")).toBeNull();
    server.onSocket = hospitable;
    button.click();
    await connected();
  });

  it("S0-11 may be a plain element", async () => {
    server.onSocket = (socket) => socket.close(4503);
    render(app({ fallback: "Come back later" }));
    await screen.findByText("Come back later");
  });

  it("S0-11 is shown for options that no client can be made of", async () => {
    render(app({ apiUrl: "https://", fallback }));
    await screen.findByRole("button", { name: /No chat/ });
  });

  it("S0-11 keeps the children, and tells them, when there is none", async () => {
    server.onSocket = (socket) => socket.close(4503);
    const Banner = () => h("p", {}, useConnection().state);
    render(app({}, h(Banner)));
    await screen.findByText("stopped");
  });

  it("S0-11 throws to an error boundary when there is neither a client nor a fallback", () => {
    class Boundary extends Component<{ children?: ReactNode }, { error?: Error }> {
      override state: { error?: Error } = {};
      static getDerivedStateFromError = (error: Error) => ({ error });
      override render = () => (this.state.error === undefined ? this.props.children : "caught");
    }
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    render(h(Boundary, {}, app({ apiUrl: "https://" })));
    expect(screen.getByText("caught")).toBeDefined();
    error.mockRestore();
  });
});

describe("onUnauthorized", () => {
  it("is told once for tokens that are refused again and again, so an app cannot go round in circles", async () => {
    server.onSocket = (socket) => socket.close(4500);
    const told = vi.fn<() => void>();
    const { rerender } = render(app({ onUnauthorized: told }));
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1));
    rerender(app({ onUnauthorized: () => told(), wsToken: tokenOf("alice", 2) }));
    await server.socket(1);
    await closed(1);
    rerender(app({ onUnauthorized: () => told(), wsToken: tokenOf("alice", 3) }));
    await server.socket(2);
    await closed(2);
    expect(told).toHaveBeenCalledTimes(1);
  });

  it("is told again when tokens that were good are refused later", async () => {
    const told = vi.fn<() => void>();
    const { rerender } = render(app({ onUnauthorized: told }));
    await connected();
    (await server.socket()).close(4500);
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1));
    rerender(app({ onUnauthorized: told, wsToken: tokenOf("alice", 2) }));
    await server.socket(1);
    await connected();
    (await server.socket(1)).close(4500);
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(2));
  });
});
