import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { ChatClient } from "../../client/chat-client.ts";
import type { ChatRoom } from "../../client/room.ts";
import { ack, joined, live, message, ScriptedServer, welcome, type ServerSide } from "./scripted-server.ts";

let server: ScriptedServer;
let client: ChatClient;
beforeEach(async () => {
  server = await ScriptedServer.start();
  client = new ChatClient({
    apiUrl: server.apiUrl,
    token: "rest",
    wsToken: "ws",
    platform: { WebSocket: WebSocket as never, random: () => 0 },
  });
});
afterEach(async () => {
  client.disconnect();
  await server.stop();
});

/** In the lobby, whose newest message is `seq`. */
async function enter(seq = 0): Promise<{ room: ChatRoom; socket: ServerSide }> {
  server.onSocket = (socket) => {
    welcome(socket);
    socket.say(joined(seq, { messages: seq === 0 ? [] : [message(seq)] }));
  };
  const room = client.join("lobby");
  await client.connect();
  await until(room, () => room.state.status === "joined");
  return { room, socket: await server.socket() };
}

function until(room: ChatRoom, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (!holds()) return;
      subscription.remove();
      resolve();
    };
    const subscription = room.on("change", check);
    check();
  });
}

const texts = (room: ChatRoom): string[] => room.messages.map(({ content }) => content);

describe("sending", () => {
  it("shows a message at once, and resolves with its place when it is stored", async () => {
    const { room, socket } = await enter();
    const sending = room.send("hello");
    expect(room.messages).toMatchObject([{ content: "hello", state: "sending" }]);
    const frame = await server.frame(socket, "message");
    expect(frame).toMatchObject({ roomId: "lobby", content: "hello" });
    socket.say(
      ack(frame, 1),
      live(1, { userId: "alice", content: "hello", clientMessageId: frame["clientMessageId"] }),
    );
    expect(await sending).toMatchObject({ seq: 1, messageId: "m1", duplicate: false });
    await until(room, () => room.messages[0]?.state === "sent");
    expect(room.messages).toMatchObject([{ key: frame["clientMessageId"], state: "sent", seq: 1 }]);
  });

  it("sends again under the same id after a lost connection, and shows it once", async () => {
    const { room, socket } = await enter();
    const sending = room.send("hello");
    const first = await server.frame(socket, "message");
    socket.cut();
    const second = await server.frame(await server.socket(1), "message");
    expect(second["clientMessageId"]).toBe(first["clientMessageId"]);
    (await server.socket(1)).say(
      live(1, { userId: "alice", content: "hello", clientMessageId: first["clientMessageId"] }),
      ack(second, 1, { duplicate: true }),
    );
    expect(await sending).toMatchObject({ seq: 1 });
    expect(texts(room)).toEqual(["hello"]);
  });
});
