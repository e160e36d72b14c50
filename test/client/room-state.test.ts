import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeWorld, settle } from "./fake-world.ts";
import { joined, live, message } from "./scripted-server.ts";

let world: FakeWorld;
beforeEach(() => (world = new FakeWorld()));
afterEach(() => world.end());

const person = (userId: string, status = "online") => ({ userId, username: userId, status });

describe("room.state", () => {
  it("is the same object until something changes, and then another, told once", async () => {
    const { room, socket } = await world.enter();
    const before = room.state;
    expect(room.state).toBe(before);
    const told: unknown[] = [];
    room.on("change", (state) => told.push(state));
    socket.say(live(1), live(2), live(3));
    await settle();
    expect(told).toEqual([room.state]);
    expect(before.messages).toEqual([]);
    const { messages } = room.state;
    socket.say({ type: "typing_indicator", roomId: "lobby", ...person("bob"), isTyping: true });
    expect(room.state.messages).toBe(messages);
  });

  it("tells no more once a subscription is removed", async () => {
    const { room, socket } = await world.enter();
    const told: unknown[] = [];
    const subscription = room.on("message", (one) => told.push(one));
    room.on("message", () => subscription.remove());
    socket.say(live(1), live(2));
    expect(told).toHaveLength(1);
  });
});

describe("unread", () => {
  it("follows from seq and the read mark: doubled frames, own messages and reconnects change nothing", async () => {
    const client = world.client();
    world.answer = () => ({ status: 200, body: { readSeq: 10 } });
    const { room, socket } = await world.enter(10, client);
    expect(room.state.unread).toBe(0);
    socket.say(live(11), live(11), live(12, { userId: "alice" }), live(13));
    expect(room.state.unread).toBe(2);
    socket.lose();
    await world.pass(2_000);
    const next = await world.socket(2);
    next.welcome();
    next.say(joined(14, { messages: [message(13), message(14)] }));
    await settle();
    expect(room.state.unread).toBe(3);
    room.markRead(12);
    expect(room.state.unread).toBe(2);
    room.markRead();
    room.markRead(3);
    expect(room.state.unread).toBe(0);
    await world.pass(1_000);
    expect(next.all("read")).toEqual([{ type: "read", roomId: "lobby", seq: 14 }]);
  });

  it("counts what is not loaded, from the mark the server keeps", async () => {
    world.answer = () => ({ status: 200, body: { readSeq: 40 } });
    const { room } = await world.enter(100);
    await world.pass(250);
    expect(room.state.unread).toBe(60);
  });

  it("is not asked of history when the room says the mark as it is joined", async () => {
    const { room, socket } = await world.enter(100);
    socket.say({ type: "read", roomId: "lobby", userId: "alice", seq: 70 });
    await world.pass(2_000);
    expect([room.state.unread, world.requests]).toEqual([30, []]);
    expect(socket.all("read")).toEqual([]);
  });

  it("goes down when another device reads", async () => {
    world.answer = () => ({ status: 200, body: { readSeq: 40 } });
    const { room, socket } = await world.enter(100);
    socket.say({ type: "read", roomId: "lobby", userId: "alice", seq: 100 });
    expect(room.state).toMatchObject({ unread: 0, readMarks: { alice: 100 } });
  });

  it("begins with what comes when the server cannot say", async () => {
    const { room, socket } = await world.enter(100);
    expect(room.state.unread).toBe(0);
    socket.say(live(101));
    expect(room.state.unread).toBe(1);
    await world.pass(2_000);
    expect(world.requests.map(({ url }) => url.pathname)).toEqual(["/v1/channels/lobby"]);
    expect(socket.all("read")).toEqual([]); // nobody has read anything
  });

  it("a mark that was set offline is told after the reconnect", async () => {
    const { room, socket } = await world.enter(5);
    socket.say(live(6));
    socket.lose();
    room.markRead();
    await world.pass(2_000);
    const next = await world.socket(2);
    next.welcome();
    next.say(joined(6));
    await world.pass(1_000);
    expect(next.all("read")).toMatchObject([{ seq: 6 }]);
  });
});

describe("people", () => {
  it("come and go, one at a time, several at once, and as a sample", async () => {
    const { room, socket } = await world.enter();
    const told: string[][] = [];
    room.on("presence", (people) => told.push(people.map(({ userId, status }) => `${userId} ${status}`)));
    socket.say({ type: "presence", roomId: "lobby", ...person("carol"), lastSeen: "2026-01-01T00:00:00Z" });
    expect(room.members.map(({ userId }) => userId)).toEqual(["bob", "carol"]);
    expect(room.state.memberCount).toBe(2);
    const changes = [person("bob", "offline"), person("dave")];
    socket.say({ type: "presence_changes", roomId: "lobby", memberCount: 2, changes });
    expect(room.members.map(({ userId }) => userId)).toEqual(["carol", "dave"]);
    socket.say({ type: "presence_count", roomId: "lobby", memberCount: 900, sample: [person("eve")] });
    expect(room.state).toMatchObject({ memberCount: 900, members: [{ userId: "eve" }] });
    expect(told).toEqual([["carol online"], ["bob offline", "dave online"], ["eve online"]]);
  });

  it("X07 F18 type until they say so, write, go, or are not heard of for 6 s: nobody need tell the end", async () => {
    const { room, socket } = await world.enter();
    const types = (userId: string, isTyping = true): void =>
      socket.say({ type: "typing_indicator", roomId: "lobby", ...person(userId), isTyping });
    for (const name of ["bob", "carol", "dave", "eve", "alice"]) types(name);
    expect(room.state.typing.map(({ userId }) => userId)).toEqual(["bob", "carol", "dave", "eve"]);
    types("carol", false);
    socket.say(live(1));
    socket.say({ type: "presence", roomId: "lobby", ...person("dave", "offline"), lastSeen: "" });
    expect(room.state.typing.map(({ userId }) => userId)).toEqual(["eve"]);
    await world.pass(4_000);
    types("eve");
    await world.pass(5_000);
    expect(room.state.typing).toHaveLength(1);
    const told: number[] = [];
    room.on("typing", (typing) => told.push(typing.length));
    await world.pass(2_000);
    expect([room.state.typing, told]).toEqual([[], [0]]);
  });

  it("own typing is told now and then while it lasts, and taken back by itself", async () => {
    const { room, socket } = await world.enter();
    for (let key = 0; key < 12; key++) {
      room.typing();
      await world.pass(500);
    }
    expect(socket.all("typing").map(({ isTyping }) => isTyping)).toEqual([true, true]);
    await world.pass(8_000);
    expect(socket.all("typing").map(({ isTyping }) => isTyping)).toEqual([true, true, false]);
    room.typing(false);
    expect(socket.all("typing")).toHaveLength(3);
  });
});
