import { describe, expect, it } from "vitest";
import { World } from "./world.ts";

const deep = (levels: number) => `{"type":"message","content":${"[".repeat(levels)}${"]".repeat(levels)}}`;

describe("frames", () => {
  it.each([
    ["one byte too many", "x".repeat(16 * 1024 + 1)],
    ["too many bytes in few characters", "€".repeat(6_000)],
    ["a mebibyte", "x".repeat(1024 * 1024)],
  ])("F01 closes with 4509 on %s", async (_what, text) => {
    const world = new World();
    const alice = await world.connect("alice");
    await alice.send(text);
    expect(alice.closed).toEqual({ code: 4509, reason: "frame_too_big" });
  });

  it("F01 reads a frame of exactly 16 KiB", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    const frame = `{"type":"message","content":"x","timestamp":"${"y".repeat(64)}"}`;
    await alice.send(frame + " ".repeat(16 * 1024 - frame.length));
    expect(alice.last("ack").seq).toBe(1);
  });

  it.each([
    ["an ArrayBuffer", new ArrayBuffer(4)],
    ["bytes that are a frame", new TextEncoder().encode('{"type":"ping"}')],
  ])("F04 closes with 4510 on %s", async (_what, message) => {
    const world = new World();
    const alice = await world.connect("alice");
    await alice.send(message);
    expect(alice.closed).toEqual({ code: 4510, reason: "unsupported_data" });
    expect(alice.all("pong")).toEqual([]);
  });

  it.each([
    "",
    " ",
    "\ufeff{}",
    "null",
    "[]",
    "1",
    '"text"',
    "{",
    "{]",
    '{"type":"ping"',
    '{"type":"ping"}}',
    "{'type':'ping'}",
    '{"type":"ping",}',
    '[{"type":"ping"}]',
    "NaN",
    "undefined",
    '{"a":01}',
    '{"a":1e}',
    "\u0000",
  ])("F07 answers bad_frame to %j and keeps the socket", async (text) => {
    const world = new World();
    const alice = await world.connect("alice");
    await alice.send(text);
    expect(alice.last("error")).toMatchObject({ code: "bad_frame" });
    await alice.say({ type: "ping" });
    expect(alice.last("pong")).toEqual({ type: "pong" });
  });

  it("F07 closes with 4508 at the tenth strike, counted across a sleep", async () => {
    const world = new World({ sleepy: true });
    const alice = await world.connect("alice");
    for (let strike = 0; strike < 9; strike++) await alice.send("nonsense");
    expect(alice.closed).toBeUndefined();
    await alice.send("nonsense");
    expect(alice.closed).toEqual({ code: 4508, reason: "too_many_errors" });
    expect(alice.all("error")).toHaveLength(10);
  });

  it("F07 forgives strikes that are a minute apart", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    for (let strike = 0; strike < 12; strike++) {
      await alice.send("nonsense");
      await world.advance(61_000);
    }
    expect(alice.closed).toBeUndefined();
  });

  it.each([
    '{"type":"read","seq":1e400}',
    '{"type":"read","seq":1.5}',
    '{"type":"read","seq":-1}',
    '{"type":"read","seq":90071992547409920}',
    '{"type":"ping","\\ud800":1}',
  ])("F08 answers bad_frame to %s", async (text) => {
    const world = new World();
    const alice = await world.connect("alice");
    await alice.send(text);
    expect(alice.last("error")).toMatchObject({ code: "bad_frame" });
  });

  it.each([17, 1_000, 8_000])("F09 answers bad_frame to %i levels of nesting", async (levels) => {
    const world = new World();
    const alice = await world.connect("alice");
    await alice.send(deep(levels));
    expect(alice.last("error")).toMatchObject({ code: "bad_frame" });
  });

  it.each([
    '{"type":"ping","__proto__":{"admin":true}}',
    '{"type":"message","content":"x","constructor":{"prototype":{"admin":true}}}',
  ])("F10 answers bad_frame to %s", async (text) => {
    const world = new World();
    const alice = await world.connect("alice");
    await alice.send(text);
    expect(alice.last("error")).toMatchObject({ code: "bad_frame" });
    expect("admin" in {}).toBe(false);
  });

  it("F11 takes the last of two equal keys, once and for all", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    const bob = await world.connect("bob");
    await alice.send('{"type":"ping","type":"message","content":"one","content":"two"}');
    expect(alice.last("ack").seq).toBe(1);
    expect(bob.last("message").content).toBe("two");
  });

  it.each([
    ["unknown_type", { type: "admin" }],
    ["unknown_type", { type: "presence", userId: "bob", status: "offline" }],
    ["unknown_type", { type: "auth", token: "x" }],
    ["bad_frame", { type: 1 }],
    ["bad_frame", {}],
    ["bad_frame", { type: "message" }],
    ["bad_frame", { type: "message", content: 1 }],
    ["bad_frame", { type: "ping", extra: 1 }],
    ["bad_frame", { type: "typing", isTyping: "yes" }],
    ["bad_frame", { type: "join_room" }],
    ["bad_frame", { type: "join_room", roomId: "../x" }],
    ["bad_frame", { type: "read" }],
  ])("F12 answers %s to %j", async (code, frame) => {
    const world = new World();
    const alice = await world.connect("alice");
    await alice.say(frame);
    expect(alice.last("error").code).toBe(code);
  });

  it("names the client id in an error wherever it could be read", async () => {
    const world = new World();
    const alice = await world.connect("alice");
    await alice.say({ type: "message", content: 1, clientMessageId: "cid-000001" });
    expect(alice.last("error")).toMatchObject({ code: "bad_frame", clientMessageId: "cid-000001" });
  });

  it("reads several frames in one message from a client that speaks lines, and only from one", async () => {
    const world = new World();
    const lines = await world.connect("alice", { lines: true });
    const plain = await world.connect("bob");
    const text = '{"type":"message","content":"one"}\n{"type":"ping"}\n{"type":"message","content":"two"}\n';
    await lines.send(text);
    expect(lines.all("message").map(({ content }) => content)).toEqual(["one", "two"]);
    await plain.send(text);
    expect(plain.last("error")).toMatchObject({ code: "bad_frame" });
  });

  it("F01 bounds the lines of one message", async () => {
    const world = new World();
    const alice = await world.connect("alice", { lines: true });
    await alice.send('{"type":"ping"}\n'.repeat(65));
    expect(alice.closed?.code).toBe(4509);
  });

  it("F21 removes somebody once, whatever the close looks like and however often it is told", async () => {
    const world = new World();
    const [alice, bob] = [await world.connect("alice"), await world.connect("bob")];
    await world.advance(100);
    await alice.leave(1006);
    world.room.close(alice.connection);
    world.room.close(alice.connection);
    await world.advance(10_000);
    expect(bob.all("presence").map(({ status }) => status)).toEqual(["online", "offline"]);
  });
});
