import { describe, expect, it, vi } from "vitest";
import { TIMES } from "../../protocol/limits.ts";
import { gateway, openGatewayForEachTest } from "./each-gateway.ts";
import { settle } from "./fake-sockets.ts";
import { message } from "./said.ts";

openGatewayForEachTest();

describe("a client's socket", () => {
  it("S4-6 is welcomed by the gateway and joins the lobby by itself", async () => {
    const { client, lobby } = await gateway.joined();
    expect(client.frames).toMatchObject([
      {
        type: "welcome",
        userId: "alice",
        serverTime: "2026-11-21T08:00:00.000Z",
        expiresAt: "2026-11-21T09:00:00.000Z",
        limits: { messageMaxLength: 1000, frameMaxBytes: 16_384, messagesPerWindow: 30, windowMs: 60_000 },
      },
      { type: "room_joined", roomId: "lobby" },
    ]);
    expect(lobby.accepted).toBe(true);
  });

  it("joins the room it names, from where the client stopped", async () => {
    await gateway.enter({ query: "?roomId=team&since=e1.41" });
    expect(gateway.rooms).toHaveLength(1);
    expect(gateway.room("team").since).toEqual({ epoch: "e1", seq: 41 });
  });

  it("hands the room the user's own token", async () => {
    const authorization = `Bearer ${await gateway.token()}`;
    const { lobby } = await gateway.joined({ headers: { authorization } });
    expect(`Bearer ${lobby.token}`).toBe(authorization);
  });

  it("I08 hands on a hundred messages in the order they came, lines or not", async () => {
    const { client, lobby } = await gateway.joined({ headers: { "sec-websocket-protocol": "chat.v1.lines" } });
    const frames = Array.from({ length: 100 }, (_, at) =>
      message("lobby", { clientMessageId: `m-${String(at).padStart(7, "0")}` }),
    );
    client.say(...frames.slice(0, 40));
    const inLines = frames.slice(40, 90).map((frame) => JSON.stringify(frame));
    client.hear(inLines.join("\n"));
    client.say(...frames.slice(90));
    expect(lobby.frames).toEqual(frames);
  });

  it("hands frames on as the text they are, both ways", async () => {
    const { client, lobby } = await gateway.joined();
    const text = '{"type":"message", "roomId":"lobby","content":"a \\u0041","clientMessageId":"m-0000001"}';
    client.hear(text);
    expect(lobby.sent).toEqual([text]);
    const ack = '{"type":"ack","roomId":"lobby","later":"field"}';
    lobby.hear(ack);
    expect(client.sent.at(-1)).toBe(ack);
  });

  it("S4-16 talks to each of its rooms, by the room each frame names", async () => {
    const { client, lobby } = await gateway.joined();
    const team = await gateway.join(client, "team");
    client.say(message("team"), message("lobby"), { type: "typing", roomId: "team", isTyping: true });
    expect(team.frames.map(({ type }) => type)).toEqual(["message", "typing"]);
    expect(lobby.frames.map(({ type }) => type)).toEqual(["message"]);
    team.message(1);
    lobby.message(1);
    expect(client.ofType("message").map(({ roomId }) => roomId)).toEqual(["team", "lobby"]);
  });

  it("takes a frame that names no room to mean the room the socket was opened for", async () => {
    const { client, lobby } = await gateway.joined();
    await gateway.join(client, "team");
    client.say({ type: "message", content: "hi" });
    expect(lobby.ofType("message")).toMatchObject([{ content: "hi" }]);
  });

  it("A13 is told when a frame is for a room it is not in, and stays open", async () => {
    const { client } = await gateway.joined();
    client.say(message("elsewhere"));
    expect(client.ofType("error")).toMatchObject([
      { code: "forbidden", roomId: "elsewhere", clientMessageId: "m-0000001" },
    ]);
    expect(client.closed).toBeUndefined();
  });

  it("S4-10 leaves a room: its last answers first, then room_left, then the room's socket closes", async () => {
    const { client } = await gateway.joined();
    const team = await gateway.join(client, "team");
    client.say(message("team"), { type: "leave_room", roomId: "team" });
    expect(team.frames.map(({ type }) => type)).toEqual(["message", "leave_room"]);
    team.say({ type: "ack", roomId: "team", clientMessageId: "m-0000001" }, { type: "room_left", roomId: "team" });
    expect(client.frames.slice(-2).map(({ type }) => type)).toEqual(["ack", "room_left"]);
    expect(team.closed).toMatchObject({ code: 1000 });
    client.say(message("team"));
    expect(client.ofType("error")).toMatchObject([{ code: "forbidden" }]);
  });

  it("leaves a room that does not answer", async () => {
    const { client } = await gateway.joined();
    const team = await gateway.join(client, "team");
    client.say({ type: "leave_room", roomId: "team" });
    expect(client.ofType("room_left")).toEqual([]);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(client.ofType("room_left")).toEqual([{ type: "room_left", roomId: "team" }]);
    expect(team.closed).toBeDefined();
  });

  it("joins again a room it is still leaving, with what it says there meanwhile", async () => {
    const { client } = await gateway.joined();
    const team = await gateway.join(client, "team");
    client.say({ type: "leave_room", roomId: "team" }, { type: "join_room", roomId: "team" }, message("team"));
    team.say({ type: "room_left", roomId: "team" });
    await vi.advanceTimersByTimeAsync(1);
    const again = gateway.room("team");
    expect(again).not.toBe(team);
    again.letIn();
    expect(client.frames.slice(-2).map(({ type }) => type)).toEqual(["room_left", "room_joined"]);
    expect(again.ofType("message")).toHaveLength(1);
  });

  it("asks a room it is in already to tell where it stands", async () => {
    const { client, lobby } = await gateway.joined();
    client.say({ type: "join_room", roomId: "lobby", since: { epoch: "e1", seq: 0 } });
    expect(lobby.ofType("join_room")).toMatchObject([{ since: { epoch: "e1", seq: 0 } }]);
    lobby.letIn({ seq: 0 });
    expect(client.ofType("room_joined")).toHaveLength(2);
    expect(gateway.rooms).toHaveLength(1);
  });

  it("answers one join while another is on its way only once", async () => {
    const socket = await gateway.enter();
    socket.say({ type: "join_room", roomId: "lobby" });
    gateway.room("lobby").letIn();
    expect(gateway.room("lobby").ofType("join_room")).toEqual([]);
    expect(socket.ofType("room_joined")).toHaveLength(1);
  });

  it("I08 keeps what is said to a room before it has let the client in, and says it once and in order", async () => {
    const socket = await gateway.enter();
    socket.say(message("lobby"), message("lobby", { clientMessageId: "m-0000002" }), message("lobby"));
    expect(gateway.room("lobby").sent).toEqual([]);
    gateway.room("lobby").letIn();
    expect(gateway.room("lobby").frames.map(({ clientMessageId }) => clientMessageId)).toEqual([
      "m-0000001",
      "m-0000002",
    ]);
  });

  it("answers pings itself", async () => {
    const { client } = await gateway.joined();
    client.say({ type: "ping" });
    expect(client.ofType("pong")).toHaveLength(1);
  });

  it("lets rooms know that a client which pings is alive, and not more often than they need", async () => {
    const { client, lobby } = await gateway.joined();
    client.say({ type: "ping" }, { type: "ping" });
    expect(lobby.ofType("ping")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_000);
    client.say({ type: "typing", isTyping: false });
    expect(lobby.ofType("ping")).toHaveLength(2);
    lobby.say({ type: "pong" });
    expect(client.ofType("pong")).toHaveLength(2);
  });

  it("is here in every room for as long as it is heard of in one, also if it never pings", async () => {
    const { client, lobby } = await gateway.joined();
    const team = await gateway.join(client, "team");
    for (let at = 0; at < 60; at += 4) {
      await vi.advanceTimersByTimeAsync(4_000);
      client.say({ type: "typing", roomId: "lobby", isTyping: true });
    }
    expect(lobby.ofType("typing")).toHaveLength(15);
    expect(team.frames).toEqual(Array.from({ length: 5 }, () => ({ type: "read", seq: 0 })));
  });

  it("does not let rooms wait for pings of a client that never sends any", async () => {
    const { client, lobby } = await gateway.joined();
    client.say(message("lobby"));
    expect(lobby.ofType("ping")).toEqual([]);
  });

  it("X03 is dropped when a client that used to ping is not heard of any more, and its rooms learn it", async () => {
    const { client, lobby } = await gateway.joined();
    client.say({ type: "ping" });
    await vi.advanceTimersByTimeAsync(TIMES.deadSocketMs + TIMES.headsMs);
    expect(client.closed).toMatchObject({ code: 4003 });
    expect(lobby.closed).toBeDefined();
  });

  it("I11 tells the heads of all rooms in one frame every 25 s", async () => {
    const { client, lobby } = await gateway.joined();
    const team = await gateway.join(client, "team");
    lobby.message(1);
    lobby.say({ type: "heads", rooms: { lobby: 1 } });
    team.say({ type: "heads", rooms: { team: 7 } });
    expect(client.ofType("heads")).toEqual([]);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(client.ofType("heads")).toEqual([{ type: "heads", rooms: { lobby: 1, team: 7 } }]);
  });

  it("gets lines as lines when it asked for them, and one by one when it did not", async () => {
    const lines = await gateway.joined({ headers: { "sec-websocket-protocol": "chat.v1.lines" } });
    lines.lobby.say({ type: "presence_x" }, { type: "pong" }, { type: "typing_indicator" });
    expect(lines.client.sent.at(-1)).toBe('{"type":"presence_x"}\n{"type":"typing_indicator"}');
    const single = await gateway.joined({ headers: { "sec-websocket-protocol": "chat.v1" } });
    single.lobby.say({ type: "presence_x" }, { type: "typing_indicator" });
    expect(single.client.sent.slice(-2)).toEqual(['{"type":"presence_x"}', '{"type":"typing_indicator"}']);
  });

  it("may send several frames in one message when it asked for lines", async () => {
    const { client, lobby } = await gateway.joined({ headers: { "sec-websocket-protocol": "chat.v1.lines" } });
    client.hear(`${JSON.stringify(message("lobby"))}\n{"type":"ping"}\n`);
    expect(lobby.ofType("message")).toHaveLength(1);
    expect(client.ofType("pong")).toHaveLength(1);
  });

  it("closes its rooms' sockets at once when the client goes, and forgets its timers", async () => {
    const { client, lobby } = await gateway.joined();
    const team = await gateway.join(client, "team");
    client.hangUp(1005);
    expect([lobby.closed, team.closed]).toMatchObject([{ code: 1000 }, { code: 1000 }]);
    expect(client.closed).toMatchObject({ code: 1000 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("closes a room's socket that opens after the client has gone, and hears nothing more", async () => {
    const { client } = await gateway.joined();
    const answers: (() => void)[] = [];
    gateway.holdDials(answers);
    client.say({ type: "join_room", roomId: "late" });
    await settle();
    client.break();
    for (const answer of answers) answer();
    await settle();
    expect(gateway.room("late")).toMatchObject({ accepted: true, closed: { code: 1000 } });
    client.say({ type: "join_room", roomId: "later" }, { type: "ping" });
    await settle();
    expect(gateway.rooms).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the log", () => {
  it("S4-30 tells who opened a socket, with what, and how it ended", async () => {
    const { client } = await gateway.joined({ headers: { "user-agent": "Browser/1.0\u00e9" } });
    await vi.advanceTimersByTimeAsync(1_500);
    client.hangUp(1001);
    const socket = { event: "socket", userId: "alice", roomId: "lobby", userAgent: "Browser/1.0" };
    const connectionId = client.ofType("welcome")[0]?.["connectionId"];
    expect(gateway.log).toEqual([
      { ...socket, did: "opened", connectionId },
      { ...socket, did: "closed", connectionId, code: 1001, ms: 1_500 },
    ]);
  });

  it("tells of one end only, and why it was", async () => {
    const { client } = await gateway.joined();
    client.hear(new ArrayBuffer(1));
    client.hangUp(4510);
    expect(gateway.log).toMatchObject([{ did: "opened" }, { did: "closed", code: 4510 }]);
  });

  it("O01 M05 T20 holds no token, wherever it was sent, and nothing that was said", async () => {
    const token = await gateway.token();
    const { socket } = await gateway.open({ query: `?token=${token}`, headers: { "user-agent": "x".repeat(5_000) } });
    await settle();
    socket.say(message("lobby", { content: "a secret" }));
    socket.hangUp(1000);
    const text = JSON.stringify(gateway.log);
    expect(text).not.toMatch(/secret|eyJ/);
    expect(text.length).toBeLessThan(1_000);
  });
});
