// @vitest-environment happy-dom
import { act, render, screen } from "@testing-library/react";
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import { usePresence, useTyping, useUnread } from "../../../client/react/index.ts";
import type { Sent } from "../../../client/types.ts";
import { live, message, joined, welcome } from "../scripted-server.ts";
import { alice, provided, Room, type Seen, server, startServerForEachTest, TokenRoom, tokenOf } from "./chat-app.ts";

startServerForEachTest();

const token = alice.wsToken;
const connected = () => screen.findByText("connected");

describe("useChat(token, roomId)", () => {
  it("S4-24 needs no provider, and has messages, isConnected and sendMessage", async () => {
    const seen = {} as Seen;
    render(h(TokenRoom, { token, roomId: "general", apiUrl: server.apiUrl, seen }));
    expect(seen.chat).toMatchObject({ messages: [], isConnected: false });
    await connected();
    expectTypeOf(seen.chat.sendMessage).toEqualTypeOf<(content: string) => Promise<Sent>>();
    const sent = await act(() => seen.chat.sendMessage("Hello everyone!"));
    await screen.findByText("Hello everyone! (sent)");
    expect(sent).toMatchObject({ seq: 1, duplicate: false });
    expect(await server.frame(await server.socket(), "message")).toMatchObject({ roomId: "general" });
  });

  it("S4-24 is in the lobby when no room is named, and a token alone is not taken for a room", async () => {
    const seen = {} as Seen;
    render(h(TokenRoom, { token, apiUrl: server.apiUrl, seen }));
    await connected();
    expect([seen.chat.room?.id, server.sockets[0]?.token]).toEqual(["lobby", token]);
  });

  it("S4-24 waits for a token that is not there yet", async () => {
    const seen = {} as Seen;
    const { rerender } = render(h(TokenRoom, { token: null, apiUrl: server.apiUrl, seen }));
    expect(seen.chat.isConnected).toBe(false);
    await expect(seen.chat.sendMessage("too early")).rejects.toMatchObject({ code: "stopped" });
    rerender(h(TokenRoom, { token, apiUrl: server.apiUrl, seen }));
    await connected();
  });

  it("shares one socket among the components of one person, until the last of them is gone", async () => {
    const both = [1, 2].map((key) => h(TokenRoom, { key, token, roomId: `room-${key}`, apiUrl: server.apiUrl }));
    const { rerender, unmount } = render(both);
    await vi.waitFor(() => expect(screen.getAllByText("connected")).toHaveLength(2));
    rerender(both.slice(0, 1));
    await connected();
    expect(server.sockets).toMatchObject([{ closed: undefined }]);
    unmount();
    await server.until(() => server.sockets[0]?.closed, "the end of the socket");
    expect(server.sockets).toHaveLength(1);
  });

  it("goes on with a new token of the same person on the same socket", async () => {
    const { rerender } = render(h(TokenRoom, { token, apiUrl: server.apiUrl }));
    await connected();
    rerender(h(TokenRoom, { token: tokenOf("alice", 2), apiUrl: server.apiUrl }));
    const refresh = await server.frame(await server.socket(), "refresh");
    expect([refresh["token"], server.sockets.length]).toEqual([tokenOf("alice", 2), 1]);
  });

  it("goes on as another person on another socket", async () => {
    const { rerender } = render(h(TokenRoom, { token, apiUrl: server.apiUrl }));
    await connected();
    rerender(h(TokenRoom, { token: tokenOf("bob"), apiUrl: server.apiUrl }));
    await server.socket(1);
    await server.until(() => server.sockets[0]?.closed, "the end of the first socket");
    await connected();
  });
});

describe("useChat(roomId)", () => {
  it("shows another room when its id changes, and leaves the one before", async () => {
    const seen = {} as Seen;
    const { rerender } = render(provided({}, h(Room, { roomId: "one", seen })));
    await connected();
    rerender(provided({}, h(Room, { roomId: "two", seen })));
    const socket = await server.socket();
    expect(await server.frame(socket, "leave_room")).toMatchObject({ roomId: "one" });
    await vi.waitFor(() => expect([seen.chat.room?.id, seen.chat.isConnected]).toEqual(["two", true]));
  });

  it("keeps its functions while the room is the same", async () => {
    const seen = {} as Seen;
    render(provided({}, h(Room, { roomId: "lobby", seen })));
    const { sendMessage, loadMore, markRead } = seen.chat;
    await connected();
    expect(seen.chat).toMatchObject({ sendMessage, loadMore, markRead });
  });

  it("keeps a refused message as failed, though nobody looks at the promise; retry sends it, discard takes it away", async () => {
    const seen = {} as Seen;
    render(provided({}, h(Room, { roomId: "lobby", seen })));
    await connected();
    const socket = await server.socket();
    const answer = socket.onFrame;
    socket.onFrame = ({ roomId, clientMessageId }) =>
      socket.say({ type: "error", code: "forbidden", message: "No", roomId, clientMessageId });
    act(() => {
      void seen.chat.sendMessage("one");
      void seen.chat.sendMessage("two");
    });
    await screen.findByText("one (failed)");
    await screen.findByText("two (failed)");
    const [one, two] = seen.chat.messages;
    expect(one?.error?.code).toBe("forbidden");
    socket.onFrame = answer;
    await act(() => seen.chat.retry(one?.clientMessageId ?? ""));
    await screen.findByText("one (sent)");
    act(() => seen.chat.discard(two?.clientMessageId ?? ""));
    await vi.waitFor(() => expect(screen.queryByText(/^two/)).toBeNull());
  });

  it("renders on a server, without a socket", () => {
    const html = renderToString(provided({}, h(Room, { roomId: "lobby" })));
    expect(html).toContain("not connected");
    expect(renderToString(h(TokenRoom, { token }))).toContain("not connected");
    expect(server.sockets).toHaveLength(0);
  });
});

describe("usePresence, useTyping, useUnread", () => {
  it("show who is here, who types, and what was not read; each is rendered anew only for its own part", async () => {
    const renders = { presence: 0, unread: 0 };
    const People = () => {
      renders.presence++;
      const { members, memberCount } = usePresence("lobby");
      return h("p", {}, `${memberCount}: ${members.map(({ username }) => username).join()}`);
    };
    const Unread = () => {
      renders.unread++;
      return h("p", {}, `unread ${useUnread("lobby")}`);
    };
    const Typists = () => {
      const { typing, setTyping } = useTyping("lobby");
      return h("button", { onClick: () => setTyping(true) }, `typing ${typing.map(({ username }) => username).join()}`);
    };
    server.onSocket = (socket) => {
      welcome(socket);
      socket.say(joined(1, { messages: [message(1)], memberCount: 1 }));
    };
    render(provided({}, h(People), h(Unread), h(Typists)));
    await screen.findByText("1: Bob");
    const socket = await server.socket();
    const before = renders.presence;
    socket.say(live(2), live(3));
    await screen.findByText("unread 2");
    expect(renders.presence).toBe(before);
    socket.say({ type: "typing_indicator", roomId: "lobby", userId: "bob", username: "Bob", isTyping: true });
    await screen.findByText("typing Bob");
    const unread = renders.unread;
    const carol = { userId: "carol", username: "Carol", status: "online", lastSeen: new Date(0).toISOString() };
    socket.say({ type: "presence_changes", roomId: "lobby", memberCount: 2, changes: [carol] });
    await screen.findByText("2: Bob,Carol");
    expect(renders.unread).toBe(unread);
    screen.getByRole("button").click();
    expect(await server.frame(socket, "typing")).toMatchObject({ roomId: "lobby", isTyping: true });
  });
});
