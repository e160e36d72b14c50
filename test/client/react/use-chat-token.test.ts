// @vitest-environment happy-dom
import { act, cleanup, render, renderHook, screen } from "@testing-library/react";
import { createElement as h, type ReactNode, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ChatProvider, useChatToken } from "../../../client/react/index.ts";
import type { ChatTokens } from "../../../client/types.ts";
import { ScriptedServer } from "../scripted-server.ts";
import { hospitable, platform, Room, tokenOf } from "./chat-app.ts";

const tokens: ChatTokens = { token: "rest", wsToken: tokenOf("alice"), expiresIn: 86_400 };
const HOUR_MS = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A backend that gives these tokens, or answers with that status. */
function backend(status = 200) {
  const fetch = vi.fn<typeof globalThis.fetch>(() => Promise.resolve(Response.json(tokens, { status })));
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

const settle = () => act(() => vi.advanceTimersByTimeAsync(0));

describe("useChatToken()", () => {
  it("S3-13 has token, isRefreshing and refreshToken; asks the app's own backend with its cookies", async () => {
    const fetch = backend();
    const { result } = renderHook(() => useChatToken());
    expect(result.current).toMatchObject({ token: null, isRefreshing: true });
    await settle();
    expect(result.current).toMatchObject({ token: tokens, isRefreshing: false, error: undefined });
    const [url, init] = fetch.mock.calls[0] ?? [];
    expect([url, init?.method, init?.credentials]).toEqual(["/api/auth/chat-token", "POST", "include"]);
    await act(() => result.current.refreshToken());
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("S3-13 refreshes a token of 24 hours after 20, as long as it is mounted", async () => {
    const fetch = backend();
    const { unmount } = renderHook(() => useChatToken());
    await settle();
    await act(() => vi.advanceTimersByTimeAsync(20 * HOUR_MS - 1));
    expect(fetch).toHaveBeenCalledTimes(1);
    await act(() => vi.advanceTimersByTimeAsync(1));
    expect(fetch).toHaveBeenCalledTimes(2);
    unmount();
    await vi.advanceTimersByTimeAsync(100 * HOUR_MS);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("takes getToken, address and headers, and keeps nothing where scripts of others could read it", async () => {
    const getToken = vi.fn<() => Promise<ChatTokens>>(() => Promise.resolve(tokens));
    const { result } = renderHook(() => useChatToken({ getToken }));
    await settle();
    expect([result.current.token, localStorage.length, sessionStorage.length]).toEqual([tokens, 0, 0]);
    const fetch = backend();
    renderHook(() => useChatToken({ url: "/my/token", request: { method: "POST", headers: { "x-csrf": "1" } } }));
    await settle();
    expect(fetch.mock.calls[0]).toMatchObject(["/my/token", { method: "POST", headers: { "x-csrf": "1" } }]);
  });

  it("has one request on the way, however many ask and however often it is mounted", async () => {
    const fetch = backend();
    const { result } = renderHook(() => useChatToken(), { wrapper: StrictMode });
    await act(() => Promise.all([result.current.refreshToken(), result.current.refreshToken()]));
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it("ends the request when it is unmounted", async () => {
    let signal: AbortSignal | null | undefined;
    vi.stubGlobal("fetch", (_url: string, init: RequestInit) => {
      signal = init.signal;
      return new Promise(() => undefined);
    });
    renderHook(() => useChatToken()).unmount();
    await vi.advanceTimersByTimeAsync(0);
    expect(signal?.aborted).toBe(true);
  });

  it.each([401, 403])("gives up when the backend says %i: nobody is signed in", async (status) => {
    const fetch = backend(status);
    const { result } = renderHook(() => useChatToken());
    await settle();
    await act(() => vi.advanceTimersByTimeAsync(HOUR_MS));
    expect(result.current).toMatchObject({ token: null, isRefreshing: false, error: { status } });
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it("tries again when the backend is down, less and less often, and keeps the tokens it has", async () => {
    const fetch = backend();
    const { result } = renderHook(() => useChatToken());
    await settle();
    fetch.mockRejectedValue(new TypeError("Failed to fetch"));
    await act(() => result.current.refreshToken());
    expect(result.current).toMatchObject({ token: tokens, error: { message: "Failed to fetch" } });
    await act(() => vi.advanceTimersByTimeAsync(2_000));
    expect(fetch.mock.calls.length).toBeGreaterThanOrEqual(3);
    const before = fetch.mock.calls.length;
    await act(() => vi.advanceTimersByTimeAsync(24 * HOUR_MS));
    // Waits are uniform up to five minutes, so two and a half on average.
    expect(fetch.mock.calls.length - before).toBeLessThan(900);
    backend();
    await act(() => result.current.refreshToken());
    expect(result.current.error).toBeUndefined();
  });

  it("says so when the answer has no tokens", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ jwt: "…" })));
    const { result } = renderHook(() => useChatToken());
    await settle();
    expect(result.current.error?.message).toContain('must have "token" and "wsToken"');
  });

  it("renders on a server, without a request", () => {
    const fetch = backend();
    const View = () => h("p", {}, String(useChatToken().token));
    expect([renderToString(h(View)), fetch.mock.calls.length]).toEqual(["<p>null</p>", 0]);
  });
});

describe("useChatToken with a ChatProvider", () => {
  it("S3-13 gets new tokens when the server refuses the old ones, and the conversation goes on", async () => {
    vi.useRealTimers();
    const server = await ScriptedServer.start();
    server.onSocket = hospitable;
    let turn = 0;
    const getToken = () => Promise.resolve({ ...tokens, wsToken: tokenOf("alice", ++turn) });
    const App = (): ReactNode => {
      const { token, refreshToken } = useChatToken({ getToken });
      if (token === null) return "Loading";
      const { apiUrl, wsUrl } = server;
      const props = { apiUrl, wsUrl, platform, token: token.token, wsToken: token.wsToken };
      return h(ChatProvider, { ...props, onUnauthorized: refreshToken }, h(Room, { roomId: "lobby" }));
    };
    render(h(App));
    await screen.findByText("connected");
    (await server.socket()).close(4500);
    expect((await server.socket(1)).token).toBe(tokenOf("alice", 2));
    await screen.findByText("connected");
    cleanup();
    await server.stop();
  });

  it("S3-13 hears of refused tokens by itself under a provider", async () => {
    vi.useRealTimers();
    const server = await ScriptedServer.start();
    server.onSocket = (socket) => socket.close(4500);
    const fetch = backend();
    const Below = () => h("p", {}, `asked ${fetch.mock.calls.length}, ${String(useChatToken().isRefreshing)}`);
    const { apiUrl, wsUrl } = server;
    render(h(ChatProvider, { apiUrl, wsUrl, platform, token: "rest", wsToken: tokens.wsToken }, h(Below)));
    await screen.findByText("asked 2, false");
    cleanup();
    await server.stop();
  });
});
