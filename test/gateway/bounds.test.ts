import { describe, expect, it, vi } from "vitest";
import { signChatToken } from "../../domain/chat-tokens.ts";
import { AppId } from "../../protocol/ids.ts";
import { LIMITS, TIMES } from "../../protocol/limits.ts";
import { gateway, openGatewayForEachTest } from "./each-gateway.ts";
import { claimsOf, NOW, settle } from "./fake-sockets.ts";
import { message } from "./said.ts";

openGatewayForEachTest();

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

  it.each([
    ["pings", { type: "ping" }],
    ["messages to a room it is not in", { type: "message", roomId: "elsewhere", content: "x" }],
    ["leaves of a room it is not in", { type: "leave_room", roomId: "elsewhere" }],
    ["joins of a room that cannot be", { type: "join_room", roomId: "admin" }],
  ])("F16 closes with 4029 on %s without end, and answers 600 a minute", async (_what, frame) => {
    const { client } = await gateway.joined();
    const before = client.sent.length;
    for (let sent = 0; sent < 600; sent++) client.say(frame);
    expect([client.sent.length - before, client.closed]).toEqual([600, undefined]);
    await vi.advanceTimersByTimeAsync(10_000);
    for (let sent = 0; sent < 100; sent++) client.say(frame);
    expect(client.closed).toBeUndefined();
    client.say(frame);
    expect(client.closed).toMatchObject({ code: 4029 });
  });

  it("names the message that could not be read", async () => {
    const { client } = await gateway.joined();
    client.say({ ...message("lobby"), userId: "mallory" });
    expect(client.ofType("error")).toMatchObject([
      { code: "bad_frame", clientMessageId: "m-0000001", roomId: "lobby" },
    ]);
  });

  it("takes at most 50 rooms", async () => {
    const { client } = await gateway.joined();
    for (let n = 1; n < LIMITS.roomsPerSocket; n++) await gateway.join(client, `room-${n}`);
    client.say({ type: "join_room", roomId: "one-more" });
    await settle();
    expect(client.ofType("error")).toMatchObject([{ code: "forbidden", roomId: "one-more" }]);
    expect(gateway.rooms).toHaveLength(LIMITS.roomsPerSocket);
  });

  it("takes another room as soon as one is being left, and that one back only when there is a place again", async () => {
    const { client } = await gateway.joined();
    const rooms = [];
    for (let n = 1; n < LIMITS.roomsPerSocket; n++) rooms.push(await gateway.join(client, `room-${n}`));
    client.say({ type: "leave_room", roomId: "room-1" });
    await vi.advanceTimersByTimeAsync(1_000); // there are fifty joins at once, and then one a second
    await gateway.join(client, "one-more");
    client.say({ type: "join_room", roomId: "room-1" });
    await settle();
    expect(client.ofType("error")).toMatchObject([{ code: "forbidden", roomId: "room-1" }]);
    expect(gateway.rooms).toHaveLength(LIMITS.roomsPerSocket + 1);
    rooms[0]?.say({ type: "room_left", roomId: "room-1" });
    await settle();
    expect(client.ofType("room_left")).toMatchObject([{ roomId: "room-1" }]);
  });

  it("lets nobody join and leave without end", async () => {
    const { client } = await gateway.joined();
    for (let n = 1; n < LIMITS.roomsPerSocket; n++) {
      const room = await gateway.join(client, "flap");
      client.say({ type: "leave_room", roomId: "flap" });
      room.say({ type: "room_left", roomId: "flap" });
    }
    client.say({ type: "join_room", roomId: "flap" });
    expect(client.ofType("error")).toMatchObject([{ code: "rate_limited", roomId: "flap", retryAfterMs: 1_000 }]);
  });

  it("W10 may come back, and is closed, when it has had no room for a minute", async () => {
    const { client, lobby } = await gateway.joined();
    await vi.advanceTimersByTimeAsync(300_000);
    client.say({ type: "leave_room", roomId: "lobby" });
    lobby.say({ type: "room_left", roomId: "lobby" });
    await vi.advanceTimersByTimeAsync(TIMES.roomlessMs - 1);
    expect(client.closed).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(client.closed).toMatchObject({ code: 4003 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("W10 stays when it finds a room within a minute", async () => {
    const { client, lobby } = await gateway.joined();
    client.say({ type: "leave_room", roomId: "lobby" });
    lobby.say({ type: "room_left", roomId: "lobby" });
    await vi.advanceTimersByTimeAsync(TIMES.roomlessMs - 1);
    await gateway.join(client, "team");
    await vi.advanceTimersByTimeAsync(TIMES.roomlessMs);
    expect(client.closed).toBeUndefined();
  });

  it("W10 is closed after a minute when the room it named is none", async () => {
    const client = await gateway.enter({ query: "?roomId=system" });
    client.say({ type: "join_room", roomId: "admin" });
    await vi.advanceTimersByTimeAsync(TIMES.roomlessMs);
    expect(client.closed).toMatchObject({ code: 4003 });
  });

  it("waits for at most five rooms' answers at a time", async () => {
    const { client } = await gateway.joined();
    const answers: (() => void)[] = [];
    gateway.holdDials(answers);
    for (let n = 0; n < 8; n++) client.say({ type: "join_room", roomId: `room-${n}` });
    await settle();
    expect(answers).toHaveLength(5);
    answers.shift()?.();
    await settle();
    expect(answers).toHaveLength(5);
    client.say({ type: "join_room", roomId: "room-8" });
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
      client.say({ type: "join_room", roomId });
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
    const team = await gateway.join(client, "team");
    const token = await gateway.token("alice", { expiresAt: NOW + 7_200_000 });
    client.say({ type: "refresh", token });
    await vi.waitFor(() => expect(team.ofType("refresh")).toEqual([{ type: "refresh", token }]));
    expect(lobby.ofType("refresh")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(3_700_000);
    expect(client.closed).toBeUndefined();
    expect((await gateway.join(client, "later")).token).toBe(token);
  });

  it("J25 reaches every room before what is said after it, and before what we say for a client that only listened", async () => {
    const { client, lobby } = await gateway.joined({ headers: { "sec-websocket-protocol": "chat.v1.lines" } });
    const team = await gateway.join(client, "team");
    await vi.advanceTimersByTimeAsync(60_000);
    const token = await gateway.token("alice", { expiresAt: NOW + 7_200_000 });
    client.hear(`${JSON.stringify({ type: "refresh", token })}\n${JSON.stringify(message("lobby"))}`);
    expect(lobby.frames.map(({ type }) => type)).toEqual(["refresh", "message", "read"]);
    expect(team.frames.map(({ type }) => type)).toEqual(["refresh", "read"]);
  });

  it.each([
    ["another user's", 4500, () => gateway.token("mallory")],
    ["another app's", 4500, () => gateway.token("alice", { app: AppId.parse("other") })],
    ["an expired one", 4001, () => gateway.token("alice", { issuedAt: NOW - 9_000, expiresAt: NOW - 8_000 })],
    ["a token for HTTP", 4502, () => signChatToken(gateway.keys, "rest", claimsOf())],
    ["nonsense", 4500, async () => "nonsense"],
  ])("T01 X01 closes when it is refreshed with %s", async (_case, code, token) => {
    const { client, lobby } = await gateway.joined();
    client.say({ type: "refresh", token: await token() });
    await vi.waitFor(() => expect(client.closed).toMatchObject({ code }));
    expect(lobby.closed).toBeDefined();
  });
});
