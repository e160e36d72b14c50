import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answer, comeBack, refuse, sent, seqs, states } from "./conversation.ts";
import { FakeWorld } from "./fake-world.ts";
import { ack, joined, live, message } from "./scripted-server.ts";

let world: FakeWorld;
beforeEach(() => (world = new FakeWorld()));
afterEach(() => world.end());

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
    const next = await comeBack(world, socket, joined(0));
    expect(sent(next)).toEqual(["a"]);
    for (const nth of [0, 1, 2]) answer(next, nth, nth + 1);
    expect(sent(next)).toEqual(["a", "b", "c"]);
    expect(states(room)).toEqual(["a: sent", "b: sent", "c: sent"]);
  });

  it("I12 sends again under the same id after a lost connection, and shows it once", async () => {
    const { room, socket } = await world.enter();
    const sending = room.send("hello");
    const next = await comeBack(world, socket, joined(0));
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
    const next = await comeBack(
      world,
      socket,
      joined(1, { messages: [message(1, { userId: "alice", clientMessageId })] }),
    );
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
