import { describe, expect, it, vi } from "vitest";
import { gateway, openGatewayForEachTest } from "./each-gateway.ts";
import type { FakeRoom } from "./fake-sockets.ts";

openGatewayForEachTest();

const pour = (room: FakeRoom, from: number, to: number) => {
  for (let seq = from; seq <= to; seq++) room.message(seq);
};
/** Frames the room got that it takes for a sign of life of a client that knows no `received`. */
const signs = (room: FakeRoom) => room.ofType("read").filter(({ seq }) => seq === 0);

describe("F18 a slow reader at the gateway", () => {
  it("hands on what the client says it has received", async () => {
    const { client, lobby } = await gateway.joined();
    pour(lobby, 1, 40);
    client.say({ type: "received", roomId: "lobby", seq: 40 });
    expect(lobby.ofType("received")).toEqual([{ type: "received", roomId: "lobby", seq: 40 }]);
    expect(signs(lobby)).toEqual([]);
  });

  it("never acknowledges by itself", async () => {
    const { lobby } = await gateway.joined();
    pour(lobby, 1, 500);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(lobby.sent).toEqual([]);
  });

  it("tells a room of any frame of a client that never says `received` there, at most every 32 messages", async () => {
    const { client, lobby } = await gateway.joined();
    client.say({ type: "join_room", roomId: "news" });
    await vi.advanceTimersByTimeAsync(0);
    const news = gateway.room("news");
    news.letIn();
    pour(lobby, 1, 100);
    for (let frames = 0; frames < 5; frames++)
      client.say({ type: "message", roomId: "news", content: `hello ${frames}` });
    expect(signs(lobby)).toHaveLength(1);
    expect(signs(news)).toEqual([]);
    pour(lobby, 101, 140);
    client.say({ type: "ping" });
    // Either is a sign of life; the room needs one.
    expect(signs(lobby).length + lobby.ofType("ping").length).toBe(2);
  });

  it("J25 is told of by nothing but pings for a client that pings, as only they are taken after a token's end", async () => {
    const { client, lobby } = await gateway.joined();
    client.say({ type: "ping" });
    pour(lobby, 1, 40);
    client.say({ type: "ping" });
    expect(lobby.frames).toEqual([{ type: "ping" }, { type: "ping" }]);
  });

  it("tells nothing on behalf of a client that says `received`", async () => {
    const { client, lobby } = await gateway.joined();
    client.say({ type: "received", roomId: "lobby", seq: 1 });
    pour(lobby, 1, 100);
    client.say({ type: "typing", roomId: "nowhere", isTyping: true });
    expect(signs(lobby)).toEqual([]);
  });

  it("ends the client's socket with 4002 when a room has given it up", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp("slow_consumer");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(client.closed).toMatchObject({ code: 4002 });
    expect(gateway.rooms).toHaveLength(1);
  });
});
