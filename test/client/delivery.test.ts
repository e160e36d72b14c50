import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChatRoom } from "../../client/room.ts";
import type { FakeSocket } from "./fake-world.ts";
import { FakeWorld, settle } from "./fake-world.ts";
import { ack, joined, live, message } from "./scripted-server.ts";

let world: FakeWorld;
beforeEach(() => (world = new FakeWorld()));
afterEach(() => world.end());

const states = (room: ChatRoom): string[] => room.messages.map(({ content, state }) => `${content}: ${state}`);
const seqs = (room: ChatRoom): (number | undefined)[] => room.messages.map(({ seq }) => seq);
const sent = (socket: FakeSocket): unknown[] => socket.all("message").map(({ content }) => content);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => message(from + at));

/** A server that has an answer for the nth message. */
function answer(socket: FakeSocket, nth: number, seq: number): void {
  const frame = socket.nth("message", nth);
  const { content, clientMessageId } = frame;
  socket.say(ack(frame, seq), live(seq, { userId: "alice", content, clientMessageId }));
}

function refuse(socket: FakeSocket, nth: number, code: string, more: object = {}): void {
  const { roomId, clientMessageId } = socket.nth("message", nth);
  socket.say({ type: "error", code, message: code, roomId, clientMessageId, ...more });
}

/** Loses the connection, and is in the lobby again. */
async function comeBack(socket: FakeSocket, frame: object): Promise<FakeSocket> {
  socket.lose();
  await world.pass(2_000);
  const next = await world.socket(2);
  next.welcome();
  next.say(frame);
  await settle();
  return next;
}

describe("sending", () => {
  it("shows a message at once, under a key that stays, and resolves with its place", async () => {
    const { room, socket } = await world.enter();
    const sending = room.send("  hello ");
    const [before] = room.messages;
    expect(before).toMatchObject({ content: "hello", state: "sending", userId: "alice" });
    answer(socket, 0, 1);
    expect(await sending).toMatchObject({ seq: 1, messageId: "m1", duplicate: false });
    expect(room.messages).toMatchObject([{ key: before?.key, state: "sent", seq: 1 }]);
  });

  it("before there is a connection, waits for it", async () => {
    const client = world.client();
    const room = client.join("lobby");
    const sending = room.send("early");
    const { socket } = await world.enter(0, client);
    expect(sent(socket)).toEqual(["early"]);
    answer(socket, 0, 1);
    expect(await sending).toMatchObject({ seq: 1 });
  });

  it("to a room that was never joined joins it for that, and leaves it", async () => {
    const client = world.client();
    const { socket } = await world.enter(0, client);
    const sending = client.sendMessage("by the way", "other");
    expect(socket.all("join_room")).toMatchObject([{ roomId: "other" }]);
    socket.say(joined(0, { roomId: "other" }));
    socket.say(ack(socket.nth("message"), 1));
    await sending;
    expect(socket.all("leave_room")).toMatchObject([{ roomId: "other" }]);
    expect(client.rooms.map(({ id }) => id)).toEqual(["lobby"]);
  });

  it("keeps the order of a room's messages, whatever is refused and lost in between", async () => {
    const { room, socket } = await world.enter();
    for (const text of ["a", "b", "c"]) void room.send(text);
    expect(sent(socket)).toEqual(["a"]);
    refuse(socket, 0, "storage_unavailable", { retryAfterMs: 1_000 });
    await world.pass(900);
    expect(sent(socket)).toEqual(["a"]);
    await world.pass(2_000);
    expect(sent(socket)).toEqual(["a", "a"]);
    const next = await comeBack(socket, joined(0));
    expect(sent(next)).toEqual(["a"]);
    for (const nth of [0, 1, 2]) answer(next, nth, nth + 1);
    expect(sent(next)).toEqual(["a", "b", "c"]);
    expect(states(room)).toEqual(["a: sent", "b: sent", "c: sent"]);
  });

  it("I12 sends again under the same id after a lost connection, and shows it once", async () => {
    const { room, socket } = await world.enter();
    const sending = room.send("hello");
    const next = await comeBack(socket, joined(0));
    expect(next.all("message")).toEqual(socket.all("message"));
    const frame = next.nth("message");
    const shown = live(1, { userId: "alice", content: "hello", clientMessageId: frame["clientMessageId"] });
    next.say(shown, shown, ack(frame, 1, { duplicate: true }), ack(frame, 1), shown);
    expect(await sending).toMatchObject({ seq: 1 });
    expect(states(room)).toEqual(["hello: sent"]);
  });

  it("takes a message that comes back with the recovery for acked", async () => {
    const { room, socket } = await world.enter();
    const sending = room.send("hello");
    const { clientMessageId } = socket.nth("message");
    const next = await comeBack(socket, joined(1, { messages: [message(1, { userId: "alice", clientMessageId })] }));
    expect(await sending).toMatchObject({ seq: 1, duplicate: true });
    expect(next.all("message")).toEqual([]);
    expect(room.messages).toHaveLength(1);
  });

  it("is not left waiting when the ack of an old message says where it long has been", async () => {
    const { room, socket } = await world.enter(500);
    const sending = room.send("again");
    socket.say(ack(socket.nth("message"), 40, { duplicate: true }));
    expect(await sending).toMatchObject({ seq: 40, duplicate: true });
    expect(seqs(room)).toEqual([500]);
  });

  it("sends again on the same socket when no answer comes", async () => {
    const { room, socket } = await world.enter();
    void room.send("hello");
    for (let second = 0; second < 12; second++) {
      socket.say({ type: "pong" });
      await world.pass(1_000);
    }
    expect(sent(socket)).toEqual(["hello", "hello"]);
  });

  it("a refusal rejects, keeps the text, and lets the next one through", async () => {
    const { room, socket } = await world.enter();
    const sending = room.send("rude");
    const next = room.send("kind");
    refuse(socket, 0, "blocked_by_moderation");
    await expect(sending).rejects.toMatchObject({ name: "ChatError", code: "blocked_by_moderation" });
    answer(socket, 1, 1);
    await next;
    expect(states(room)).toEqual(["kind: sent", "rude: failed"]);
    expect(room.messages[1]?.error).toMatchObject({ code: "blocked_by_moderation" });
  });

  it("a failed message is sent again by retry, and forgotten by discard", async () => {
    const { room, socket } = await world.enter();
    const [first, second] = [room.send("one"), room.send("two")];
    refuse(socket, 0, "muted", { retryAfterMs: 60_000 });
    refuse(socket, 1, "muted");
    await Promise.allSettled([first, second]);
    const [one, two] = room.messages;
    const again = room.retry(one?.clientMessageId ?? "");
    room.discard(two?.clientMessageId ?? "");
    expect(states(room)).toEqual(["one: sending"]);
    expect(socket.all("message")[2]?.["clientMessageId"]).toBe(one?.clientMessageId);
    answer(socket, 2, 1);
    expect(await again).toMatchObject({ seq: 1 });
    await expect(room.retry("unknown")).rejects.toMatchObject({ code: "discarded" });
  });

  it("a waiting message that is discarded rejects", async () => {
    const room = world.client().join("lobby");
    const sending = room.send("no, rather not");
    room.discard(room.messages[0]?.clientMessageId ?? "");
    await expect(sending).rejects.toMatchObject({ code: "discarded" });
    expect(room.messages).toEqual([]);
  });

  it("rate limits are waited for and told, and the message goes out by itself", async () => {
    const { room, socket } = await world.enter();
    const told: string[] = [];
    room.on("error", ({ code }) => told.push(code));
    void room.send("fast");
    refuse(socket, 0, "rate_limited", { retryAfterMs: 8_000 });
    await world.pass(7_500);
    expect([sent(socket), states(room), told]).toEqual([["fast"], ["fast: sending"], ["rate_limited"]]);
    socket.say({ type: "pong" });
    await world.pass(2_500);
    expect(sent(socket)).toEqual(["fast", "fast"]);
  });

  it("refuses by itself what would end the connection or is empty", async () => {
    const { room, socket } = await world.enter();
    await expect(room.send(" \n ")).rejects.toMatchObject({ code: "bad_content" });
    expect(room.messages).toEqual([]);
    for (const text of ["x".repeat(1_001), "€".repeat(1_400), "\u0001".repeat(3_000)])
      await expect(room.send(text)).rejects.toMatchObject({ code: "content_too_long" });
    expect(room.messages.map(({ state }) => state)).toEqual(["failed", "failed", "failed"]);
    expect(sent(socket)).toEqual([]);
    void room.send("😀".repeat(1_000));
    expect(sent(socket)).toHaveLength(1);
  });

  it("carries what moderation did to it", async () => {
    const { room, socket } = await world.enter();
    void room.send("darn it");
    const frame = socket.nth("message");
    const { clientMessageId } = frame;
    socket.say(ack(frame, 1, { moderation: "masked" }));
    socket.say(live(1, { userId: "alice", content: "**** it", clientMessageId }));
    expect(room.messages).toMatchObject([{ content: "**** it", moderation: "masked", state: "sent" }]);
  });
});

describe("receiving", () => {
  it("I12 shows and tells each place once and in order, with frames doubled and swapped", async () => {
    const { room, socket } = await world.enter();
    const told: (number | undefined)[] = [];
    room.on("message", ({ seq }) => told.push(seq));
    for (const seq of [2, 1, 1, 2, 4, 3, 3, 5]) socket.say(live(seq));
    expect(told).toEqual([1, 2, 3, 4, 5]);
    expect(seqs(room)).toEqual([1, 2, 3, 4, 5]);
  });

  it("asks the room for what is missing, and tells it in order", async () => {
    const { room, socket } = await world.enter(3);
    socket.say(live(6));
    expect(seqs(room)).toEqual([3]);
    await world.pass(3_000);
    expect(socket.all("join_room")).toEqual([{ type: "join_room", roomId: "lobby", since: { epoch: "e1", seq: 3 } }]);
    socket.say(joined(6, { messages: range(4, 6) }));
    expect(seqs(room)).toEqual([3, 4, 5, 6]);
  });

  it("learns from heads that the last message did not come", async () => {
    const { room, socket } = await world.enter(3);
    socket.say({ type: "heads", rooms: { lobby: 4, unknown: 9 } });
    await world.pass(3_000);
    expect(socket.all("join_room")).toHaveLength(1);
    socket.say(joined(4, { messages: range(4, 4) }));
    expect(seqs(room)).toEqual([3, 4]);
  });

  it("asks again, but not ever more often, while nobody answers", async () => {
    const { socket } = await world.enter(3);
    socket.say(live(6));
    for (let second = 0; second < 60; second++) {
      socket.say({ type: "pong" });
      await world.pass(1_000);
    }
    expect(socket.all("join_room").length).toBeGreaterThan(2);
    expect(socket.all("join_room").length).toBeLessThan(10);
  });

  it("pages history after a long absence, and continues live", async () => {
    const { room, socket } = await world.enter(10);
    world.answer = (url) => {
      const after = Number(url.searchParams.get("after"));
      if (!url.pathname.endsWith("/messages")) return { status: 404, body: {} };
      return {
        status: 200,
        body: { messages: range(after + 1, Math.min(after + 200, 700)), next: Math.min(after + 200, 700), prev: after },
      };
    };
    const told: (number | undefined)[] = [];
    room.on("message", ({ seq }) => told.push(seq));
    const next = await comeBack(socket, joined(700, { recovered: false, messages: range(651, 700) }));
    next.say(live(701));
    await world.pass(1_000);
    expect(told).toEqual(Array.from({ length: 691 }, (_, at) => at + 11));
    expect(room.state).toMatchObject({ head: 701, status: "joined" });
    expect(world.requests.filter(({ url }) => url.searchParams.has("after"))).toHaveLength(4);
  });

  it("tries history again when it fails", async () => {
    const { room, socket } = await world.enter(10);
    let failures = 2;
    world.answer = (url) =>
      url.pathname.endsWith("/messages") && failures-- <= 0
        ? { status: 200, body: { messages: range(11, 80), next: null, prev: 10 } }
        : { status: 503, body: { code: "storage_unavailable" }, headers: { "retry-after": "1" } };
    const frame = joined(100, { recovered: false, messages: range(81, 100) });
    const next = await comeBack(socket, frame);
    for (let second = 0; second < 40 && room.messages.length < 91; second++) {
      const asked = next.all("join_room").length;
      next.say({ type: "pong" });
      await world.pass(1_000);
      if (next.all("join_room").length > asked) next.say(frame);
    }
    await settle();
    expect(seqs(room)).toEqual(Array.from({ length: 91 }, (_, at) => at + 10));
  });

  it("begins with the newest after too long an absence, tells the gap, and history fills it", async () => {
    const { room, socket } = await world.enter(10, world.client({ token: "r", wsToken: "w", catchUpMax: 100 }));
    const gaps: unknown[] = [];
    room.on("gap", (gap) => gaps.push(gap));
    await comeBack(socket, joined(500, { recovered: false, messages: range(451, 500) }));
    expect(gaps).toEqual([{ after: 10, before: 451 }]);
    expect(room.state).toMatchObject({ hasMore: true, head: 500 });
    world.answer = () => ({ status: 200, body: { messages: range(401, 450), next: null, prev: 401 } });
    expect(await room.history()).toBe(true);
    expect(seqs(room)).toEqual(range(401, 500).map(({ seq }) => seq));
  });

  it("keeps what a room still has after it lost the end of its order", async () => {
    const { room, socket } = await world.enter(0);
    for (const { seq } of range(1, 5)) socket.say(live(seq));
    const told: unknown[] = [];
    room.on("message", ({ messageId }) => told.push(messageId));
    const messages = [...range(1, 3), message(4, { messageId: "new4" })];
    await comeBack(socket, joined(4, { epoch: "e2", recovered: false, messages }));
    expect(room.messages.map(({ messageId }) => messageId)).toEqual(["m1", "m2", "m3", "new4"]);
    expect(told).toEqual(["new4"]);
    expect(room.state.epoch).toBe("e2");
  });

  it("says what has arrived also where the order goes on from further back", async () => {
    const { socket } = await world.enter(90);
    socket.say(live(91));
    await world.pass(1_000);
    const next = await comeBack(socket, joined(50, { epoch: "e2", recovered: false, messages: [message(50)] }));
    next.say(live(51));
    await world.pass(1_000);
    expect(next.all("received")).toEqual([{ type: "received", roomId: "lobby", seq: 51 }]);
  });

  it("does not choke on events of a kind it does not know", async () => {
    const { room, socket } = await world.enter(1);
    socket.say({ type: "reaction", roomId: "lobby", seq: 2, emoji: "+1" }, live(3));
    expect(seqs(room)).toEqual([1, 3]);
    await world.pass(3_000);
    expect(socket.all("join_room")).toEqual([]);
  });

  it("loads older pages once, however often it is asked, and knows when there are no more", async () => {
    const { room } = await world.enter(30);
    world.answer = (url) => {
      const before = Number(url.searchParams.get("before"));
      const first = Math.max(1, before - 20);
      return { status: 200, body: { messages: range(first, before - 1), next: null, prev: first > 1 ? first : null } };
    };
    expect(await Promise.all([room.history(20), room.history(20)])).toEqual([true, true]);
    expect(seqs(room)).toEqual(range(10, 30).map(({ seq }) => seq));
    expect(await room.history(20)).toBe(false);
    expect([room.state.hasMore, await room.history()]).toEqual([false, false]);
  });

  it("says what has arrived every 32 messages, and every second otherwise", async () => {
    const { socket } = await world.enter();
    for (const { seq } of range(1, 40)) socket.say(live(seq));
    expect(socket.all("received")).toEqual([{ type: "received", roomId: "lobby", seq: 32 }]);
    await world.pass(1_000);
    expect(socket.all("received").at(-1)).toMatchObject({ seq: 40 });
    await world.pass(3_000);
    expect(socket.all("received")).toHaveLength(2);
  });
});

describe("a room that will not have us", () => {
  it("is refused, with what was to be sent kept as failed, until it is joined again", async () => {
    const client = world.client();
    const { room, socket } = await world.enter(0, client);
    const sending = room.send("hello?");
    socket.say({ type: "error", code: "forbidden", message: "You are banned", roomId: "lobby" });
    await expect(sending).rejects.toMatchObject({ code: "forbidden" });
    expect(room.state).toMatchObject({ status: "refused", error: { code: "forbidden" } });
    expect(states(room)).toEqual(["hello?: failed"]);
    client.join("lobby");
    expect(socket.all("join_room")).toHaveLength(1);
    expect(room.state.status).toBe("joining");
  });

  it("joins again by itself when the way to the room broke", async () => {
    const { room, socket } = await world.enter();
    socket.say({ type: "error", code: "storage_unavailable", message: "Out", roomId: "lobby", retryAfterMs: 5_000 });
    expect(room.state.status).toBe("joining");
    await world.pass(9_000);
    expect(socket.all("join_room").length).toBeGreaterThan(0);
    socket.say(joined(0));
    expect(room.state.status).toBe("joined");
  });
});

describe("joining and leaving", () => {
  it("gives the same room for the same id, and leaves it after as many leaves as joins", async () => {
    const client = world.client();
    const { room, socket } = await world.enter(0, client);
    expect(client.join("lobby")).toBe(room);
    room.leave();
    await settle();
    expect(socket.all("leave_room")).toEqual([]);
    room.leave();
    room.leave();
    await settle();
    expect(socket.all("leave_room")).toEqual([{ type: "leave_room", roomId: "lobby" }]);
    expect([room.state.status, client.rooms]).toEqual(["left", []]);
  });

  it("S0-12 leaving and joining in one go is no leaving", async () => {
    const client = world.client();
    const { room, socket } = await world.enter(0, client);
    room.leave();
    client.join("lobby");
    await settle();
    expect(socket.all("leave_room")).toEqual([]);
    expect(room.state.status).toBe("joined");
  });

  it("leaves the lobby that nobody asked for, once there is another room", async () => {
    const client = world.client();
    void client.connect();
    const socket = await world.socket();
    socket.welcome();
    client.join("other");
    socket.say(joined(0));
    expect(socket.all("leave_room")).toEqual([{ type: "leave_room", roomId: "lobby" }]);
  });
});
