import { describe, expect, it, vi } from "vitest";
import { ChatError } from "../../protocol/errors.ts";
import { gateway, openGatewayForEachTest } from "./each-gateway.ts";
import { type FakeSocket, messageOf, NOW, settle } from "./fake-sockets.ts";
import { numbered as message } from "./said.ts";

openGatewayForEachTest(1);

/** Waits until the gateway has verified a client's new token: from then on it dials with it. */
async function verified(client: FakeSocket, token: string): Promise<void> {
  await vi.waitFor(async () => {
    client.say({ type: "join_room", roomId: `probe-${gateway.rooms.length}` });
    await settle();
    expect(gateway.rooms.at(-1)?.token).toBe(token);
  });
}

const seqs = (client: FakeSocket) => client.ofType("message").map(({ seq }) => seq);
const unavailable = new ChatError("rooms_unavailable");
const outOfReach = {
  type: "error",
  code: "storage_unavailable",
  message: expect.any(String),
  roomId: "lobby",
  retryAfterMs: 5_000,
};

describe("a room that breaks", () => {
  it.each([1006, 1001, 1011, 1012, 4000, 4005, 4003])(
    "is joined again after %i from the last position, and the client sees neither gap nor repeat",
    async (code) => {
      const { client, lobby } = await gateway.joined();
      lobby.message(1);
      lobby.message(2);
      lobby.hangUp(code);
      const again = await gateway.rejoined({ seq: 4, messages: [2, 3, 4].map((seq) => messageOf("lobby", seq)) });
      expect(again.since).toEqual({ epoch: "e1", seq: 2 });
      again.message(4);
      again.message(5);
      expect(seqs(client)).toEqual([1, 2, 3, 4, 5]);
      expect(client.ofType("room_joined")).toHaveLength(1);
      expect(client.ofType("welcome")).toHaveLength(1);
      expect(client.closed).toBeUndefined();
    },
  );

  it("is joined again when its socket fails", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.break();
    await gateway.rejoined({ seq: 1, messages: [messageOf("lobby", 1)] });
    expect(seqs(client)).toEqual([1]);
  });

  it("X07 leaves nobody shown as typing who may have stopped before it is back", async () => {
    const { client, lobby } = await gateway.joined();
    const typing = (userId: string, isTyping: boolean) => ({
      type: "typing_indicator",
      roomId: "lobby",
      userId,
      username: userId,
      isTyping,
    });
    const told = [typing("ada", true), typing("bob", true), typing("ada", false)];
    for (const frame of told) lobby.say(frame);
    lobby.hangUp(1006);
    expect(client.ofType("typing_indicator")).toEqual([...told, typing("bob", false)]);
    const again = await gateway.rejoined({});
    again.hangUp(1006);
    expect(client.ofType("typing_indicator")).toHaveLength(4);
  });

  it("keeps the author's own field in what was missed", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp(1006);
    await gateway.rejoined({ seq: 1, messages: [{ ...messageOf("lobby", 1), clientMessageId: "m-0000001" }] });
    expect(client.ofType("message")).toMatchObject([{ seq: 1, clientMessageId: "m-0000001" }]);
  });

  it.each([
    ["the room cannot tell all that was missed", { seq: 900, recovered: false, messages: [] }],
    ["the order is another", { epoch: "e2", seq: 1, recovered: true, messages: [messageOf("lobby", 1)] }],
  ])("I10 hands room_joined on when %s", async (_case, over) => {
    const { client, lobby } = await gateway.joined();
    lobby.message(1);
    lobby.hangUp(1006);
    const again = await gateway.rejoined(over);
    expect(client.ofType("room_joined").at(-1)).toMatchObject(over);
    again.message(over.seq + 1);
    expect(seqs(client)).toEqual([1, over.seq + 1]);
  });

  it("I08 holds what is said meanwhile, and says it once and in order", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp(1006);
    for (const n of [1, 2, 1]) client.say(message(n));
    client.say({ type: "typing", roomId: "lobby", isTyping: true });
    const again = await gateway.rejoined({});
    expect(again.frames).toEqual([message(1), message(2)]);
    expect(lobby.sent).toEqual([]);
    expect(client.ofType("error")).toEqual([]);
  });

  it("says of what it cannot hold only that the room is out of reach", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp(1006);
    for (let n = 10; n < 75; n++) client.say(message(n));
    expect(client.ofType("error")).toEqual([outOfReach]);
    expect((await gateway.rejoined({})).frames).toHaveLength(64);
  });

  it("does not hold long texts without end", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp(1006);
    for (let n = 1; n <= 9; n++) client.say({ ...message(n), content: "x".repeat(16_000) });
    expect(client.ofType("error")).toEqual([outOfReach]);
    expect((await gateway.rejoined({})).frames).toHaveLength(8);
  });

  it("D17 says so when it stays out of reach, holds nothing after that, and still comes back", async () => {
    const { client, lobby } = await gateway.joined();
    gateway.failDials(unavailable);
    lobby.hangUp(1006);
    client.say(message(1));
    await vi.advanceTimersByTimeAsync(4_999);
    expect(client.ofType("error")).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(client.ofType("error")).toEqual([outOfReach]);
    client.say(message(2));
    expect(client.ofType("error")).toEqual([outOfReach, outOfReach]);
    gateway.mendDials();
    await vi.advanceTimersByTimeAsync(8_000);
    gateway.room("lobby").letIn();
    client.say(message(3));
    expect(gateway.room("lobby").ofType("message")).toEqual([message(3)]);
    gateway.room("lobby").hangUp(1006);
    client.say(message(4));
    expect(client.ofType("error")).toHaveLength(2);
    expect(client.closed).toBeUndefined();
  });

  it.each([
    ["out of reach", 1006],
    ["shut", 4503],
    ["gone", 4504],
  ])("I01 refuses no message by its id that a room may have stored before it was %s", async (_what, code) => {
    const { client, lobby } = await gateway.joined();
    gateway.failDials(unavailable);
    client.say(message(1));
    expect(lobby.frames).toEqual([message(1)]);
    lobby.hangUp(code);
    client.say(message(1));
    await vi.advanceTimersByTimeAsync(6_000);
    client.say(message(1));
    expect(client.ofType("error").length).toBeGreaterThan(1);
    for (const error of client.ofType("error")) {
      expect(error).toMatchObject({ roomId: "lobby" });
      expect(error).not.toHaveProperty("clientMessageId");
    }
  });

  it("I01 refuses no message by its id in a room that was left", async () => {
    const { client, lobby } = await gateway.joined();
    client.say(message(1));
    client.say({ type: "leave_room", roomId: "lobby" });
    client.say(message(1));
    lobby.say({ type: "room_left", roomId: "lobby" });
    client.say(message(1));
    const refusal = { type: "error", code: "forbidden", message: expect.any(String), roomId: "lobby" };
    expect(client.ofType("error")).toEqual([refusal, refusal]);
  });

  it("does not disturb the other rooms", async () => {
    const { client, lobby } = await gateway.joined();
    client.say({ type: "join_room", roomId: "team" });
    await settle();
    gateway.room("team").letIn();
    lobby.hangUp(1006);
    client.say({ type: "message", roomId: "team", content: "hi" });
    expect(gateway.room("team").ofType("message")).toHaveLength(1);
  });

  it("gets the newest token when it is joined again", async () => {
    const { client, lobby } = await gateway.joined();
    const token = await gateway.token("alice", { expiresAt: NOW + 7_200_000 });
    client.say({ type: "refresh", token });
    await verified(client, token);
    lobby.hangUp(1006);
    await vi.advanceTimersByTimeAsync(250);
    expect(gateway.room("lobby").token).toBe(token);
  });

  it("gets the token that came while it was being joined", async () => {
    const client = await gateway.enter();
    const token = await gateway.token("alice", { expiresAt: NOW + 7_200_000 });
    client.say({ type: "refresh", token });
    await verified(client, token);
    gateway.room("lobby").letIn();
    expect(gateway.room("lobby").frames).toEqual([{ type: "refresh", token }]);
  });

  it("F18 learns that its client says `received`, so that nothing else counts as that", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.message(1);
    client.say({ type: "received", roomId: "lobby", seq: 1 });
    lobby.hangUp(1006);
    const again = await gateway.rejoined({ seq: 1, messages: [] });
    expect(again.frames).toEqual([{ type: "received", seq: 0 }]);
  });

  it("I10 asks again what a client asked that the room broke before answering", async () => {
    const { client, lobby } = await gateway.joined();
    for (const seq of [1, 2, 3]) lobby.message(seq);
    const asked = { type: "join_room", roomId: "lobby", since: { epoch: "e1", seq: 1 } };
    client.say(asked);
    lobby.hangUp(1006);
    const again = await gateway.rejoined({ seq: 3, messages: [] });
    expect(again.since).toEqual({ epoch: "e1", seq: 3 });
    expect(client.ofType("room_joined")).toHaveLength(1);
    expect(again.frames).toEqual([asked]);
    again.letIn({ seq: 3, messages: [messageOf("lobby", 2), messageOf("lobby", 3)] });
    const answer = client.ofType("room_joined").at(-1);
    expect(client.ofType("room_joined")).toHaveLength(2);
    expect(answer).toMatchObject({ recovered: true, messages: [{ seq: 2 }, { seq: 3 }] });
  });

  it("answers a join_room that came meanwhile", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp(1006);
    const asked = { type: "join_room", roomId: "lobby", since: { epoch: "e1", seq: 0 } };
    client.say(asked);
    const again = await gateway.rejoined({});
    expect(again.frames).toEqual([asked]);
    again.letIn();
    expect(client.ofType("room_joined")).toHaveLength(2);
  });

  it("can be left meanwhile", async () => {
    const { client, lobby } = await gateway.joined();
    lobby.hangUp(1006);
    client.say({ type: "leave_room", roomId: "lobby" });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(client.ofType("room_left")).toHaveLength(1);
    expect(gateway.rooms).toHaveLength(1);
  });

  it("makes the client come back when the gateway may open no more sockets", async () => {
    const { client, lobby } = await gateway.joined();
    gateway.failDials(new ChatError("rooms_unavailable", { cause: new Error("Too many subrequests.") }));
    lobby.hangUp(1006);
    await vi.advanceTimersByTimeAsync(250);
    expect(client.closed).toMatchObject({ code: 4000 });
  });
});
