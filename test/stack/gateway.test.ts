import { describe, expect, it } from "vitest";
import type { Aim } from "../chaos/world/proxy/rules.ts";
import { ChatSocket } from "../support/chat-socket.ts";
import { describeDoors } from "./gateway-doors.ts";
import { contents, enter, message, openStackForFile, rooms, stack, tokenFor } from "./gateway-world.ts";

const ALL: Aim = { hops: ["gateway"], share: 1, seed: 1 };

openStackForFile();
describeDoors();

describe("many rooms on one socket", () => {
  it("S4-6 S4-16 begins in the lobby, joins and leaves at run time, and keeps each room's order", async () => {
    const a = new ChatSocket(stack.wsUrl, { headers: { authorization: `Bearer ${await tokenFor("multi-a")}` } });
    expect(await a.next("room_joined")).toMatchObject({ roomId: "lobby" });
    const names = Array.from({ length: 12 }, (_, n) => `multi-${n}`);
    for (const roomId of names) a.say({ type: "join_room", roomId });
    for (const roomId of names) a.say(message(roomId, 1));
    for (const roomId of names) a.say(message(roomId, 2));
    await expect.poll(() => a.all("message").length, { timeout: 10_000 }).toBe(names.length * 2);
    for (const roomId of names)
      expect(a.all("message").filter((heard) => heard.roomId === roomId)).toMatchObject([
        { seq: 1, content: "message 1" },
        { seq: 2, content: "message 2" },
      ]);
    await a.leave();
  });

  it("I04 shows clientMessageId to its author alone", async () => {
    const [a, b] = [await enter("gateway", "author", "authors"), await enter("gateway", "reader", "authors")];
    a.say(message("authors", 1));
    expect(await a.next("message")).toMatchObject({ clientMessageId: "message-authors-1" });
    expect(await b.next("message")).not.toHaveProperty("clientMessageId");
    await Promise.all([a.leave(), b.leave()]);
  });

  it("sends lines to who asked for them, and single objects to others, in one room", async () => {
    const lines = await enter("gateway", "lines", "shapes", { protocols: ["chat.v1.lines"] });
    const single = await enter("gateway", "single", "shapes", { protocols: ["chat.v1"] });
    const whole: string[] = [];
    single.socket.on("message", (data) => whole.push(String(data)));
    lines.socket.send([1, 2, 3, 4, 5, 6, 7, 8].map((n) => JSON.stringify(message("shapes", n))).join("\n"));
    await single.next("message", ({ content }) => content === "message 8");
    await lines.next("message", ({ content }) => content === "message 8");
    expect(contents(lines)).toEqual(contents(single));
    for (const text of whole) expect(() => JSON.parse(text)).not.toThrow();
    await Promise.all([lines.leave(), single.leave()]);
  });

  it("S4-13 X03 shows at once who left a room, and soon who vanished", async () => {
    const watcher = await enter("gateway", "watching", "leavers");
    const leaver = await enter("gateway", "leaving", "leavers");
    const vanisher = await enter("gateway", "vanishing", "leavers");
    leaver.say({ type: "leave_room", roomId: "leavers" });
    await leaver.next("room_left");
    expect(await watcher.next("presence", ({ status }) => status === "offline")).toMatchObject({ userId: "leaving" });
    vanisher.socket.terminate();
    expect(await watcher.next("presence", ({ status }) => status === "offline")).toMatchObject({ userId: "vanishing" });
    await Promise.all([watcher.leave(), leaver.leave()]);
  });

  it("closes the sockets to its rooms when the client goes", async () => {
    await expect.poll(() => rooms.sockets("gateway")).toBe(0); // those of the tests before
    const a = await enter("gateway", "passing", "passing-1");
    a.say({ type: "join_room", roomId: "passing-2" });
    await a.next("room_joined");
    expect(rooms.sockets("gateway")).toBe(2);
    a.socket.terminate();
    await expect.poll(() => rooms.sockets("gateway")).toBe(0);
  });

  it("J25 goes on with a refreshed token", async () => {
    const a = await enter("gateway", "refresher", "refreshed");
    a.say({ type: "refresh", token: await tokenFor("refresher") });
    a.say(message("refreshed", 1));
    await a.next("ack");
    a.say({ type: "refresh", token: await tokenFor("somebody-else") });
    expect((await a.closing()).code).toBe(4500);
  });

  it("F01 F04 closes on what is too big or binary", async () => {
    const big = await enter("gateway", "big");
    big.socket.send(" ".repeat(16_385));
    expect((await big.closing()).code).toBe(4509);
    const binary = await enter("gateway", "binary");
    binary.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
    expect((await binary.closing()).code).toBe(4510);
  });
});

describe("a way to the rooms that breaks", () => {
  it("S4-31 is mended behind the client's back: nothing missing, nothing twice, nobody seen to go", async () => {
    const a = await enter("gateway", "steady-a", "steady");
    const b = await enter("room", "steady-b", "steady");
    await a.next("presence", ({ userId }) => userId === "steady-b");
    for (let n = 1; n <= 30; n++) {
      b.say(message("steady", n));
      if (n % 10 === 0) rooms.cut(ALL, "rst");
    }
    await b.next("ack", ({ seq }) => seq === 30);
    a.say(message("steady", 31));
    const ack = await a.next("ack");
    expect(ack.seq).toBe(31);
    await a.next("message", ({ seq }) => seq === 31);
    expect(a.all("message").map(({ seq }) => seq)).toEqual(Array.from({ length: 31 }, (_, n) => n + 1));
    expect(a.all("room_joined")).toHaveLength(1);
    expect(a.all("presence").filter(({ status }) => status === "offline")).toEqual([]);
    expect(b.all("presence").filter(({ status }) => status === "offline")).toEqual([]);
    expect(b.all("message").filter(({ seq }) => seq === 31)).toHaveLength(1);
    await Promise.all([a.leave(), b.leave()]);
  });

  it("D17 is reported after a while, holds nothing back in secret, and works again when it is mended", async () => {
    const a = await enter("gateway", "patient", "outage");
    const outage = rooms.impose({ ...ALL, do: "refuse" });
    rooms.cut(ALL, "rst");
    a.say(message("outage", 1));
    const told = await a.next("error");
    expect(told).toMatchObject({ code: "storage_unavailable", roomId: "outage" });
    expect(told).not.toHaveProperty("clientMessageId");
    await rooms.lift(outage);
    a.say({ type: "join_room", roomId: "outage" });
    await a.next("room_joined");
    a.say(message("outage", 1));
    expect(await a.next("ack")).toMatchObject({ seq: 1, duplicate: false });
    await a.leave();
  });
});
