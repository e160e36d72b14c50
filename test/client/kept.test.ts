import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChatClient } from "../../client/chat-client.ts";
import { keepIn } from "../../client/kept.ts";
import type { ChatRoom } from "../../client/room.ts";
import type { ChatStorage } from "../../client/types.ts";
import { FakeWorld, settle } from "./fake-world.ts";
import { ack, joined, live, message } from "./scripted-server.ts";

let world: FakeWorld;
let entries: Map<string, string>;
beforeEach(() => {
  world = new FakeWorld();
  entries = new Map();
});
afterEach(() => world.end());

const storage: ChatStorage = {
  get: (key) => Promise.resolve(entries.get(key)),
  set: async (key, value) => void entries.set(key, value),
  delete: async (key) => void entries.delete(key),
  keys: async (prefix) => [...entries.keys()].filter((key) => key.startsWith(prefix)),
};

/** Another visit, or another tab, of a user. */
function visit(userId = "alice", over: ChatStorage = storage): ChatClient {
  return world.client({ token: "rest", wsToken: "ws", userId, storage: keepIn(over) });
}

const states = (room: ChatRoom): string[] => room.messages.map(({ content, state }) => `${content}: ${state}`);

describe("what is kept", () => {
  it("a message typed offline survives a closed tab, and is sent once under its id", async () => {
    const room = visit().join("lobby");
    void room.send("one");
    void room.send("two");
    await settle();
    const again = visit();
    const { room: later, socket } = await world.enter(0, again);
    expect(states(later)).toEqual(["one: sending", "two: sending"]);
    expect(socket.nth("message")).toMatchObject({
      content: "one",
      clientMessageId: room.messages[0]?.clientMessageId,
    });
    socket.say(ack(socket.nth("message"), 1));
    socket.say(ack(socket.nth("message", 1), 2));
    await settle();
    expect([...entries.keys()].filter((key) => key.includes(":out:"))).toEqual([]);
  });

  it("is sent even when this visit asks for no room", async () => {
    void visit().join("other").send("left behind");
    await settle();
    void visit().connect();
    const socket = await world.socket();
    expect(socket.url.searchParams.get("roomId")).toBe("other");
    socket.welcome();
    socket.say(joined(0, { roomId: "other" }));
    expect(socket.nth("message")).toMatchObject({ roomId: "other", content: "left behind" });
  });

  it("shows the newest messages before there is a connection, and goes on from there", async () => {
    const { socket } = await world.enter(1, visit());
    socket.say(live(2));
    await world.pass(2_000);
    const again = visit();
    const room = again.join("lobby");
    await settle();
    expect(room.messages.map(({ seq }) => seq)).toEqual([1, 2]);
    void again.connect();
    const next = await world.socket(2);
    expect(next.url.searchParams.get("since")).toBe("e1.2");
    next.welcome();
    next.say(joined(3, { messages: [message(3)] }));
    expect(room.messages.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it("keeps a failed message as failed: it is not sent again by itself", async () => {
    const { room, socket } = await world.enter(0, visit());
    const sending = room.send("rude");
    const { clientMessageId } = socket.nth("message");
    socket.say({ type: "error", code: "blocked_by_moderation", message: "No", roomId: "lobby", clientMessageId });
    await expect(sending).rejects.toMatchObject({ code: "blocked_by_moderation" });
    await settle();
    const again = visit().join("lobby");
    await settle();
    expect(again.messages[0]).toMatchObject({ state: "failed", error: { code: "blocked_by_moderation" } });
  });

  it("two tabs lose no entries, and send under the same ids", async () => {
    const [first, second] = [visit().join("lobby"), visit().join("lobby")];
    await settle();
    void first.send("from one tab");
    void second.send("from the other");
    await settle();
    const third = visit().join("lobby");
    await settle();
    expect(third.messages.map(({ clientMessageId }) => clientMessageId)).toEqual([
      first.messages[0]?.clientMessageId,
      second.messages[0]?.clientMessageId,
    ]);
  });

  it("shows nobody what another user left", async () => {
    void visit("alice").join("lobby").send("a secret");
    await settle();
    const room = visit("bob").join("lobby");
    await settle();
    expect(room.messages).toEqual([]);
  });

  it("clear() forgets everything of its user's, and nothing of another's", async () => {
    void visit("bob").join("lobby").send("bob's");
    const client = visit();
    const { room } = await world.enter(1, client);
    const sending = room.send("mine");
    await client.clear();
    await expect(sending).rejects.toMatchObject({ code: "discarded" });
    expect([room.messages, client.connectionState]).toEqual([[], "idle"]);
    expect([...entries.keys()].map((key) => key.split(":")[1])).toEqual(["bob"]);
  });

  it("clear() while what is kept is being read brings nothing of it back", async () => {
    const { room: before, socket } = await world.enter(1, visit());
    socket.say(live(2));
    await settle();
    await world.pass(2_000);
    expect([before.messages.length, entries.size]).toEqual([2, 1]);
    const gate = Promise.withResolvers<void>();
    const client = visit("alice", { ...storage, get: async (key) => gate.promise.then(() => storage.get(key)) });
    const room = client.join("lobby");
    const cleared = client.clear();
    gate.resolve();
    await cleared;
    await world.pass(5_000);
    expect([room.messages, [...entries.keys()]]).toEqual([[], []]);
  });

  it.each([
    ["fails", () => Promise.reject(new Error("full"))],
    ["hangs", () => new Promise<never>(() => {})],
  ])("a storage that %s costs what it would have kept, and nothing else", async (_what, broken) => {
    const client = visit("alice", { get: broken, set: broken, delete: broken, keys: broken });
    const room = client.join("lobby");
    const sending = room.send("hello");
    void client.connect();
    await world.pass(3_000);
    const socket = await world.socket();
    socket.welcome();
    socket.say(joined(0));
    socket.say(ack(socket.nth("message"), 1));
    expect(await sending).toMatchObject({ seq: 1 });
  });

  it("does not believe what is not of its shape", async () => {
    for (const [key, value] of [
      ["out:a", "{"],
      ["out:b", '{"content":5}'],
      ["room:lobby", '{"epoch":"e1","readSeq":0,"messages":[{}]}'],
    ])
      entries.set(`parley:alice:${key}`, value ?? "");
    const { room } = await world.enter(0, visit());
    expect(room.messages).toEqual([]);
  });
});
