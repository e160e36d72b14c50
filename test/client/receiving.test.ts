import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { comeBack, range, seqs } from "./conversation.ts";
import { FakeWorld, settle } from "./fake-world.ts";
import { joined, live, message } from "./scripted-server.ts";

let world: FakeWorld;
beforeEach(() => (world = new FakeWorld()));
afterEach(() => world.end());

describe("receiving", () => {
  it("I12 shows and tells each place once and in order, with frames doubled and swapped", async () => {
    const { room, socket } = await world.enter();
    const told: (number | undefined)[] = [];
    room.on("message", ({ seq }) => told.push(seq));
    for (const seq of [2, 1, 1, 2, 4, 3, 3, 5]) socket.say(live(seq));
    expect(told).toEqual([1, 2, 3, 4, 5]);
    expect(seqs(room)).toEqual([1, 2, 3, 4, 5]);
  });

  it("I11 asks the room for what is missing, and tells it in order", async () => {
    const { room, socket } = await world.enter(3);
    socket.say(live(6));
    expect(seqs(room)).toEqual([3]);
    await world.pass(3_000);
    expect(socket.all("join_room")).toEqual([{ type: "join_room", roomId: "lobby", since: { epoch: "e1", seq: 3 } }]);
    socket.say(joined(6, { messages: range(4, 6) }));
    expect(seqs(room)).toEqual([3, 4, 5, 6]);
  });

  it("asks for it in a busy room too, where something comes all the time", async () => {
    const { room, socket } = await world.enter(3);
    for (let seq = 6; seq <= 20; seq++) {
      socket.say(live(seq));
      await world.pass(300);
    }
    expect(socket.all("join_room")).toHaveLength(1);
    socket.say(joined(20, { messages: range(4, 20) }));
    expect(seqs(room)).toEqual(range(3, 20).map(({ seq }) => seq));
  });

  it("I11 learns from heads that the last message did not come", async () => {
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
    const next = await comeBack(world, socket, joined(700, { recovered: false, messages: range(651, 700) }));
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
    const next = await comeBack(world, socket, frame);
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
    await comeBack(world, socket, joined(500, { recovered: false, messages: range(451, 500) }));
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
    await comeBack(world, socket, joined(4, { epoch: "e2", recovered: false, messages }));
    expect(room.messages.map(({ messageId }) => messageId)).toEqual(["m1", "m2", "m3", "new4"]);
    expect(told).toEqual(["new4"]);
    expect(room.state.epoch).toBe("e2");
  });

  it("says what has arrived also where the order goes on from further back", async () => {
    const { socket } = await world.enter(90);
    socket.say(live(91));
    await world.pass(1_000);
    const next = await comeBack(world, socket, joined(50, { epoch: "e2", recovered: false, messages: [message(50)] }));
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
    for (const { seq } of range(1, 40)) {
      socket.say(live(seq));
      await world.pass(0);
    }
    expect(socket.all("received")).toEqual([{ type: "received", roomId: "lobby", seq: 32 }]);
    await world.pass(1_000);
    expect(socket.all("received").at(-1)).toMatchObject({ seq: 40 });
    await world.pass(3_000);
    expect(socket.all("received")).toHaveLength(2);
  });

  it("says it once for all that came in one WebSocket message", async () => {
    const { socket } = await world.enter();
    socket.say(...range(1, 100).map(({ seq }) => live(seq)));
    await world.pass(0);
    expect(socket.all("received")).toEqual([{ type: "received", roomId: "lobby", seq: 100 }]);
  });

  it("says nothing of a room that it has just left", async () => {
    const { room, socket } = await world.enter();
    room.leave();
    await world.pass(1_000);
    expect(socket.all("leave_room")).toHaveLength(1);
    socket.say(...range(1, 40).map(({ seq }) => live(seq)), { type: "room_left", roomId: "lobby" });
    await world.pass(3_000);
    expect(socket.all("received")).toEqual([]);
  });
});
