import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChatSocket } from "../support/chat-socket.ts";
import { startStack, type Stack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ ENABLE_LOGGING: "true", RATE_LIMIT_MAX_MESSAGES: "10000" });
});
afterAll(() => stack?.stop());

const enter = async (user: string, { room = "lobby", lines = false, since = "" } = {}) => {
  const url = `${stack.roomUrl(room)}${since}`;
  const socket = ChatSocket.withToken(url, await stack.token(user), lines);
  return { socket, joined: await socket.next("room_joined") };
};
const ask = async (verb: string, room: string): Promise<unknown> => {
  const headers = { authorization: `Bearer ${await stack.token("alice", "internal")}` };
  return (await fetch(`${stack.partyUrl}/parties/main/${room}/${verb}`, { headers })).json();
};
const countInLog = async (event: string): Promise<number> =>
  (await readFile(join(stack.dataDir, "logs/rooms.log"), "utf8")).split(`"event":"${event}"`).length - 1;

describe("a room in the real runtime", () => {
  it("sleeps under open sockets, wakes for heads and for messages, and has forgotten nothing", async () => {
    const [alice, bob] = [await enter("alice", { room: "sleepy" }), await enter("bob", { room: "sleepy" })];
    alice.socket.say({ type: "message", content: "one", clientMessageId: "cid-000001" });
    const first = await alice.socket.next("ack");
    expect(await bob.socket.next("heads", () => true, 40_000)).toEqual({ type: "heads", rooms: { sleepy: 1 } });
    await expect.poll(() => countInLog("room_woke"), { timeout: 5_000 }).toBeGreaterThan(0);

    alice.socket.say({ type: "message", content: "one", clientMessageId: "cid-000001" });
    alice.socket.say({ type: "message", content: "two", clientMessageId: "cid-000002" });
    expect(await alice.socket.next("ack")).toEqual({ ...first, duplicate: true });
    expect(await alice.socket.next("ack")).toMatchObject({ seq: 2, epoch: first.epoch, duplicate: false });
    expect((await bob.socket.next("message", ({ seq }) => seq === 2)).content).toBe("two");
    expect(await ask("presence", "sleepy")).toMatchObject({ memberCount: 2 });
  });

  it("numbers what several people pipeline without a gap, the same for all of them", async () => {
    const people = await Promise.all(
      ["u1", "u2", "u3", "u4"].map((user, at) => enter(user, { room: "busy", lines: at % 2 === 0 })),
    );
    for (let at = 0; at < 50; at++)
      for (const { socket } of people)
        socket.say({ type: "message", content: `m${at}`, clientMessageId: crypto.randomUUID() });
    for (const { socket } of people) await socket.next("message", ({ seq }) => seq === 200);
    const orders = people.map(({ socket }) => socket.all("message").map(({ seq, messageId }) => `${seq} ${messageId}`));
    expect(orders[0]).toHaveLength(200);
    expect(new Set(orders.map((order) => order.join())).size).toBe(1);
    expect(people[0]?.socket.all("message").map(({ seq }) => seq)).toEqual(
      Array.from({ length: 200 }, (_, at) => at + 1),
    );
  });

  it("resumes from a position over the party's address, and hands everything to history", async () => {
    const { socket, joined } = await enter("alice", { room: "resumed" });
    for (const content of ["one", "two", "three"]) socket.say({ type: "message", content });
    await socket.next("message", ({ seq }) => seq === 3);
    const back = await enter("bob", { room: "resumed", since: `?since=${joined.epoch}.1` });
    expect(back.joined).toMatchObject({ recovered: true, messages: [{ content: "two" }, { content: "three" }] });
    await expect
      .poll(() => ask("tail", "resumed"), { timeout: 5_000 })
      .toMatchObject({ head: 3, storedSeq: 3, events: [] });
  });

  it("W10 closes the oldest of six sockets of one user with 4507", async () => {
    const oldest = await enter("many", { room: "crowded" });
    oldest.socket.say({ type: "ping" });
    await oldest.socket.next("pong");
    for (let opened = 1; opened < 6; opened++) await enter("many", { room: "crowded" });
    expect(await oldest.socket.closing()).toMatchObject({ code: 4507 });
  });

  it("F01 F04 closes on frames that are too big or binary, and only that socket", async () => {
    const bystander = await enter("bystander", { room: "frames" });
    const big = await enter("alice", { room: "frames" });
    big.socket.socket.send("x".repeat(16 * 1024 + 1));
    expect((await big.socket.closing()).code).toBe(4509);
    const binary = await enter("bob", { room: "frames" });
    binary.socket.socket.send(Buffer.from('{"type":"ping"}'));
    expect((await binary.socket.closing()).code).toBe(4510);
    bystander.socket.say({ type: "ping" });
    expect(await bystander.socket.next("pong")).toEqual({ type: "pong" });
  });

  it("M05 O01 writes neither content nor tokens to the log", async () => {
    const { socket } = await enter("alice", { room: "logged" });
    socket.say({ type: "message", content: "canary-content" });
    await socket.next("ack");
    const log = await readFile(join(stack.dataDir, "logs/rooms.log"), "utf8");
    expect(log).not.toMatch(/canary-content|eyJ[A-Za-z0-9_-]{10}/);
    expect(log).toContain('"event":"socket_opened"');
  });
});
