import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signChatToken } from "../../domain/chat-tokens.ts";
import { AppId } from "../../protocol/ids.ts";
import { LIMITS, TIMES } from "../../protocol/limits.ts";
import { claimsOf, createTestGateway, type FakeSocket, NOW, settle, type TestGateway } from "./fake-sockets.ts";

let gateway: TestGateway;
beforeEach(async () => {
  vi.useFakeTimers({ now: NOW });
  gateway = await createTestGateway();
});
afterEach(() => void vi.useRealTimers());

const say = (client: FakeSocket, ...frames: object[]): void => {
  for (const frame of frames) client.hear(JSON.stringify(frame));
};
const join = async (client: FakeSocket, roomId: string) => {
  say(client, { type: "join_room", roomId });
  await settle();
  const room = gateway.room(roomId);
  room.letIn();
  return room;
};
const message = (roomId: string, over: object = {}) => ({
  type: "message",
  roomId,
  content: "hello",
  clientMessageId: "m-0000001",
  ...over,
});

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
    const team = await join(client, "team");
    say(client, message("team"), message("lobby"), { type: "typing", roomId: "team", isTyping: true });
    expect(team.frames.map(({ type }) => type)).toEqual(["message", "typing"]);
    expect(lobby.frames.map(({ type }) => type)).toEqual(["message"]);
    team.message(1);
    lobby.message(1);
    expect(client.ofType("message").map(({ roomId }) => roomId)).toEqual(["team", "lobby"]);
  });

  it("takes a frame that names no room to mean the room the socket was opened for", async () => {
    const { client, lobby } = await gateway.joined();
    await join(client, "team");
    say(client, { type: "message", content: "hi" });
    expect(lobby.ofType("message")).toMatchObject([{ content: "hi" }]);
  });

  it("A13 is told when a frame is for a room it is not in, and stays open", async () => {
    const { client } = await gateway.joined();
    say(client, message("elsewhere"));
    expect(client.ofType("error")).toMatchObject([
      { code: "forbidden", roomId: "elsewhere", clientMessageId: "m-0000001" },
    ]);
    expect(client.closed).toBeUndefined();
  });

  it("S4-10 leaves a room: its last answers first, then room_left, then the room's socket closes", async () => {
    const { client } = await gateway.joined();
    const team = await join(client, "team");
    say(client, message("team"), { type: "leave_room", roomId: "team" });
    expect(team.frames.map(({ type }) => type)).toEqual(["message", "leave_room"]);
    team.say({ type: "ack", roomId: "team", clientMessageId: "m-0000001" }, { type: "room_left", roomId: "team" });
    expect(client.frames.slice(-2).map(({ type }) => type)).toEqual(["ack", "room_left"]);
    expect(team.closed).toMatchObject({ code: 1000 });
    say(client, message("team"));
    expect(client.ofType("error")).toMatchObject([{ code: "forbidden" }]);
  });

  it("leaves a room that does not answer", async () => {
    const { client } = await gateway.joined();
    const team = await join(client, "team");
    say(client, { type: "leave_room", roomId: "team" });
    expect(client.ofType("room_left")).toEqual([]);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(client.ofType("room_left")).toEqual([{ type: "room_left", roomId: "team" }]);
    expect(team.closed).toBeDefined();
  });

  it("joins again a room it is still leaving, with what it says there meanwhile", async () => {
    const { client } = await gateway.joined();
    const team = await join(client, "team");
    say(client, { type: "leave_room", roomId: "team" }, { type: "join_room", roomId: "team" }, message("team"));
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
    say(client, { type: "join_room", roomId: "lobby", since: { epoch: "e1", seq: 0 } });
    expect(lobby.ofType("join_room")).toMatchObject([{ since: { epoch: "e1", seq: 0 } }]);
    lobby.letIn({ seq: 0 });
    expect(client.ofType("room_joined")).toHaveLength(2);
    expect(gateway.rooms).toHaveLength(1);
  });

  it("answers one join while another is on its way only once", async () => {
    const socket = await gateway.enter();
    say(socket, { type: "join_room", roomId: "lobby" });
    gateway.room("lobby").letIn();
    expect(gateway.room("lobby").ofType("join_room")).toEqual([]);
    expect(socket.ofType("room_joined")).toHaveLength(1);
  });

  it("keeps what is said to a room before it has let the client in, and says it once and in order", async () => {
    const socket = await gateway.enter();
    say(socket, message("lobby"), message("lobby", { clientMessageId: "m-0000002" }), message("lobby"));
    expect(gateway.room("lobby").sent).toEqual([]);
    gateway.room("lobby").letIn();
    expect(gateway.room("lobby").frames.map(({ clientMessageId }) => clientMessageId)).toEqual([
      "m-0000001",
      "m-0000002",
    ]);
  });

  it("answers pings itself", async () => {
    const { client } = await gateway.joined();
    say(client, { type: "ping" });
    expect(client.ofType("pong")).toHaveLength(1);
  });

  it("lets rooms know that a client which pings is alive, and not more often than they need", async () => {
    const { client, lobby } = await gateway.joined();
    say(client, { type: "ping" }, { type: "ping" });
    expect(lobby.ofType("ping")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_000);
    say(client, { type: "typing", isTyping: false });
    expect(lobby.ofType("ping")).toHaveLength(2);
    lobby.say({ type: "pong" });
    expect(client.ofType("pong")).toHaveLength(2);
  });

  it("does not let rooms wait for pings of a client that never sends any", async () => {
    const { client, lobby } = await gateway.joined();
    say(client, message("lobby"));
    expect(lobby.ofType("ping")).toEqual([]);
  });

  it("X03 is dropped when a client that used to ping is not heard of any more, and its rooms learn it", async () => {
    const { client, lobby } = await gateway.joined();
    say(client, { type: "ping" });
    await vi.advanceTimersByTimeAsync(TIMES.deadSocketMs + TIMES.headsMs);
    expect(client.closed).toMatchObject({ code: 4003 });
    expect(lobby.closed).toBeDefined();
  });

  it("I11 tells the heads of all rooms in one frame every 25 s", async () => {
    const { client, lobby } = await gateway.joined();
    const team = await join(client, "team");
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
    const team = await join(client, "team");
    client.hangUp(1005);
    expect([lobby.closed, team.closed]).toMatchObject([{ code: 1000 }, { code: 1000 }]);
    expect(client.closed).toMatchObject({ code: 1000 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("closes a room's socket that opens after the client has gone, and hears nothing more", async () => {
    const { client } = await gateway.joined();
    const answers: (() => void)[] = [];
    gateway.holdDials(answers);
    say(client, { type: "join_room", roomId: "late" });
    await settle();
    client.break();
    for (const answer of answers) answer();
    await settle();
    expect(gateway.room("late")).toMatchObject({ accepted: true, closed: { code: 1000 } });
    say(client, { type: "join_room", roomId: "later" }, { type: "ping" });
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
    say(socket, message("lobby", { content: "a secret" }));
    socket.hangUp(1000);
    const text = JSON.stringify(gateway.log);
    expect(text).not.toMatch(/secret|eyJ/);
    expect(text.length).toBeLessThan(1_000);
  });
});

describe("bounds", () => {
  it("F01 closes on a frame of more than 16 KiB, counted in UTF-8", async () => {
    const fits = await gateway.joined();
    fits.client.hear(" ".repeat(LIMITS.frameMaxBytes));
    expect(fits.client.closed).toBeUndefined();
    const long = await gateway.joined();
    long.client.hear(" ".repeat(LIMITS.frameMaxBytes + 1));
    expect(long.client.closed).toMatchObject({ code: 4509 });
    const wide = await gateway.joined();
    wide.client.hear("ü".repeat(LIMITS.frameMaxBytes / 2 + 1));
    expect(wide.client.closed).toMatchObject({ code: 4509 });
    const many = await gateway.joined({ headers: { "sec-websocket-protocol": "chat.v1.lines" } });
    many.client.hear("{}\n".repeat(65));
    expect(many.client.closed).toMatchObject({ code: 4509 });
    expect(many.lobby.closed).toBeDefined();
  });

  it("F04 closes on a binary frame", async () => {
    const { client } = await gateway.joined();
    client.hear(new TextEncoder().encode('{"type":"ping"}').buffer);
    expect(client.closed).toMatchObject({ code: 4510 });
  });

  it("F07 F12 answers what it cannot read, hands none of it on, and closes after ten", async () => {
    const { client, lobby } = await gateway.joined();
    const bad = ["", "null", "[]", "{", '{"type":"nonsense"}', '{"type":"ping","x":1}', "[".repeat(5_000)];
    for (const text of bad) client.hear(text);
    expect(client.ofType("error").map(({ code }) => code)).toEqual([
      "bad_frame",
      "bad_frame",
      "bad_frame",
      "bad_frame",
      "unknown_type",
      "bad_frame",
      "bad_frame",
    ]);
    expect(client.closed).toBeUndefined();
    for (const text of ["1", "2", "3"]) client.hear(text);
    expect(client.closed).toMatchObject({ code: 4508 });
    expect(lobby.sent).toEqual([]);
  });

  it("forgets mistakes that are a minute old", async () => {
    const { client } = await gateway.joined();
    for (let n = 0; n < 9; n++) client.hear("bad");
    await vi.advanceTimersByTimeAsync(61_000);
    for (let n = 0; n < 9; n++) client.hear("bad");
    expect(client.closed).toBeUndefined();
  });

  it("names the message that could not be read", async () => {
    const { client } = await gateway.joined();
    say(client, { ...message("lobby"), userId: "mallory" });
    expect(client.ofType("error")).toMatchObject([
      { code: "bad_frame", clientMessageId: "m-0000001", roomId: "lobby" },
    ]);
  });

  it("takes at most 50 rooms", async () => {
    const { client } = await gateway.joined();
    for (let n = 1; n < LIMITS.roomsPerSocket; n++) await join(client, `room-${n}`);
    say(client, { type: "join_room", roomId: "one-more" });
    await settle();
    expect(client.ofType("error")).toMatchObject([{ code: "forbidden", roomId: "one-more" }]);
    expect(gateway.rooms).toHaveLength(LIMITS.roomsPerSocket);
  });

  it("lets nobody join and leave without end", async () => {
    const { client } = await gateway.joined();
    for (let n = 1; n < LIMITS.roomsPerSocket; n++) {
      const room = await join(client, "flap");
      say(client, { type: "leave_room", roomId: "flap" });
      room.say({ type: "room_left", roomId: "flap" });
    }
    say(client, { type: "join_room", roomId: "flap" });
    expect(client.ofType("error")).toMatchObject([{ code: "rate_limited", roomId: "flap", retryAfterMs: 1_000 }]);
  });

  it("W10 may come back, and is closed, when it has had no room for a minute", async () => {
    const { client, lobby } = await gateway.joined();
    await vi.advanceTimersByTimeAsync(300_000);
    say(client, { type: "leave_room", roomId: "lobby" });
    lobby.say({ type: "room_left", roomId: "lobby" });
    await vi.advanceTimersByTimeAsync(TIMES.roomlessMs - 1);
    expect(client.closed).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(client.closed).toMatchObject({ code: 4003 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("W10 stays when it finds a room within a minute", async () => {
    const { client, lobby } = await gateway.joined();
    say(client, { type: "leave_room", roomId: "lobby" });
    lobby.say({ type: "room_left", roomId: "lobby" });
    await vi.advanceTimersByTimeAsync(TIMES.roomlessMs - 1);
    await join(client, "team");
    await vi.advanceTimersByTimeAsync(TIMES.roomlessMs);
    expect(client.closed).toBeUndefined();
  });

  it("W10 is closed after a minute when the room it named is none", async () => {
    const client = await gateway.enter({ query: "?roomId=system" });
    say(client, { type: "join_room", roomId: "admin" });
    await vi.advanceTimersByTimeAsync(TIMES.roomlessMs);
    expect(client.closed).toMatchObject({ code: 4003 });
  });

  it("waits for at most five rooms' answers at a time", async () => {
    const { client } = await gateway.joined();
    const answers: (() => void)[] = [];
    gateway.holdDials(answers);
    for (let n = 0; n < 8; n++) say(client, { type: "join_room", roomId: `room-${n}` });
    await settle();
    expect(answers).toHaveLength(5);
    answers.shift()?.();
    await settle();
    expect(answers).toHaveLength(5);
    say(client, { type: "join_room", roomId: "room-8" });
    await settle();
    expect(answers).toHaveLength(5);
    while (answers.length > 0) {
      answers.shift()?.();
      await settle();
    }
    expect(gateway.rooms).toHaveLength(10);
  });

  it("A03 knows without asking that a reserved id is no room", async () => {
    const { client } = await gateway.joined();
    for (const roomId of ["__proto__", "constructor", "main", "admin", "system"])
      say(client, { type: "join_room", roomId });
    expect(client.ofType("error").map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => "room_not_found"));
    expect(gateway.rooms).toHaveLength(1);
  });
});

describe("a token's life", () => {
  it("J25 ends with the socket, 30 s after it expired", async () => {
    const { client, lobby } = await gateway.joined();
    await vi.advanceTimersByTimeAsync(3_600_000 + TIMES.expiryGraceMs - 1);
    expect(client.closed).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(client.closed).toMatchObject({ code: 4001 });
    expect(lobby.closed).toBeDefined();
  });

  it("J25 goes on with a new token of the same user, which every room gets", async () => {
    const { client, lobby } = await gateway.joined();
    const team = await join(client, "team");
    const token = await gateway.token("alice", { expiresAt: NOW + 7_200_000 });
    say(client, { type: "refresh", token });
    await vi.waitFor(() => expect(team.ofType("refresh")).toEqual([{ type: "refresh", token }]));
    expect(lobby.ofType("refresh")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(3_700_000);
    expect(client.closed).toBeUndefined();
    expect((await join(client, "later")).token).toBe(token);
  });

  it.each([
    ["another user's", 4500, () => gateway.token("mallory")],
    ["another app's", 4500, () => gateway.token("alice", { app: AppId.parse("other") })],
    ["an expired one", 4001, () => gateway.token("alice", { issuedAt: NOW - 9_000, expiresAt: NOW - 8_000 })],
    ["a token for HTTP", 4502, () => signChatToken(gateway.keys, "rest", claimsOf())],
    ["nonsense", 4500, async () => "nonsense"],
  ])("T01 X01 closes when it is refreshed with %s", async (_case, code, token) => {
    const { client, lobby } = await gateway.joined();
    say(client, { type: "refresh", token: await token() });
    await vi.waitFor(() => expect(client.closed).toMatchObject({ code }));
    expect(lobby.closed).toBeDefined();
  });
});
