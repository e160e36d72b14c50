import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bundleWorker, startWorkerd } from "../../bench/workerd.ts";
import { closePayload, frameBytes, ODD_CLOSES, OPCODES, RawSocket } from "../support/raw-socket.ts";
import { readFaults } from "../support/stack-faults.ts";
import { startStack, type Stack } from "../support/stack.ts";

const MIB = 1024 * 1024;
const DOORS = ["gateway", "room"] as const;
type Door = (typeof DOORS)[number];

let stack: Stack;
const open: RawSocket[] = [];
beforeAll(async () => {
  stack = await startStack({ ENABLE_LOGGING: "true", RATE_LIMIT_MAX_MESSAGES: "10000" });
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});
afterAll(() => stack?.stop());

const { text, binary, close, ping, continuation } = OPCODES;
const addressOf = (door: Door, room: string) =>
  door === "gateway" ? `${stack.wsUrl}?roomId=${room}` : stack.roomUrl(room);

let people = 0;
const enter = async (door: Door, room: string, user = `user-${++people}`): Promise<RawSocket> => {
  const socket = await RawSocket.open(addressOf(door, room), { authorization: `Bearer ${await stack.token(user)}` });
  open.push(socket);
  await socket.next("room_joined");
  return socket;
};
/** Somebody in the room, to whom nothing may happen. */
const watch = async (door: Door, room: string) => {
  const socket = await enter(door, room, `bystander-of-${room}`);
  const check = async (): Promise<void> => {
    const clientMessageId = `check-${crypto.randomUUID()}`;
    socket.say({ type: "message", roomId: room, content: "still here", clientMessageId });
    await socket.next("ack", (ack) => ack["clientMessageId"] === clientMessageId);
    expect(socket.closeCode).toBeUndefined();
  };
  return { socket, check };
};
describe.each(DOORS)("frames at the %s's door", (door) => {
  it("F01 closes with 4509 on text of 16 KiB and a byte, and of a mebibyte", async () => {
    const { check } = await watch(door, "big");
    for (const size of [16 * 1024 + 1, MIB]) {
      const socket = await enter(door, "big");
      socket.send({ opcode: text, payload: Buffer.alloc(size, " ") });
      expect(await socket.goodbye()).toBe(4509);
    }
    await check();
  });

  it("F01 closes on 31 MiB, by our code or the platform's own", async () => {
    const { check } = await watch(door, "huge");
    const socket = await enter(door, "huge");
    socket.send({ opcode: text, payload: Buffer.alloc(31 * MIB, " ") });
    expect([4509, 1009]).toContain(await socket.goodbye());
    await check();
  });

  it("F02 eight frames of 31 MiB, sent but for their last byte, hold nobody up and leave five sockets of their user", async () => {
    const { check } = await watch(door, "halves");
    const almost = frameBytes({ opcode: text, payload: Buffer.alloc(31 * MIB, " ") }).subarray(0, -1);
    const sockets: RawSocket[] = [];
    for (let opened = 0; opened < 8; opened++) {
      const socket = await enter(door, "halves", `halving-at-${door}`);
      socket.say({ type: "ping" });
      await socket.next("pong");
      socket.write(almost);
      sockets.push(socket);
    }
    await check();
    // A runtime that takes no messages of that size ends all eight by itself, as soon as it has read a header.
    for (const socket of sockets.slice(0, 3)) expect([4507, 1009]).toContain(await socket.goodbye());
    expect(sockets.slice(3).filter(({ closeCode }) => closeCode === 4507)).toEqual([]);
    await check();
  });

  it("F03 a header that claims 2^40 bytes, or 2^63, ends its socket and costs nothing", async () => {
    const { check } = await watch(door, "claims");
    for (const claims of [2n ** 40n, 2n ** 63n]) {
      const socket = await enter(door, "claims");
      socket.send({ opcode: text, claims, payload: "{" });
      expect([1002, 1009, "cut"]).toContain(await socket.goodbye());
    }
    await check();
  });

  it("F04 closes with 4510 on a binary frame, also one that would be a good frame as text", async () => {
    const { check } = await watch(door, "binary");
    for (const payload of [Buffer.alloc(0), Buffer.from('{"type":"ping"}'), Buffer.from([0, 255])]) {
      const socket = await enter(door, "binary");
      socket.send({ opcode: binary, payload });
      expect(await socket.goodbye()).toBe(4510);
      expect(socket.frames.filter(({ type }) => type === "pong")).toEqual([]);
    }
    await check();
  });

  it.each([
    ["a byte that never occurs", [0xff]],
    ["a continuation without a start", [0x80]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["an overlong NUL", [0xe0, 0x80, 0x80]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a pair of surrogates", [0xed, 0xa0, 0x81, 0xed, 0xb0, 0x80]],
    ["a letter beyond the last one", [0xf4, 0x90, 0x80, 0x80]],
    ["a letter of five bytes", [0xf8, 0x88, 0x80, 0x80, 0x80]],
    ["a letter cut short", [0xe2, 0x82]],
  ])("F05 %s is the same for everybody, or for nobody", async (_what, bytes) => {
    const room = `utf8-${bytes.join("-")}`;
    const { socket: other, check } = await watch(door, room);
    const author = await enter(door, room);
    const [before, after] = ['{"type":"message","clientMessageId":"not-utf-8","content":"a', 'z"}'];
    author.send({
      opcode: text,
      payload: Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]),
    });
    const isOurs = (frame: Record<string, unknown>) => String(frame["content"]).endsWith("z");
    const [own, heard] = [await author.next("message", isOurs), await other.next("message", isOurs)];
    expect(heard["content"]).toMatch(/^a\ufffd+z$/);
    expect(own["content"]).toBe(heard["content"]);
    await check();
  });

  it("F05 a letter in two fragments is whole", async () => {
    const author = await enter(door, "fragments");
    const bytes = Buffer.from('{"type":"message","content":"€"}');
    author.send({ opcode: text, fin: false, payload: bytes.subarray(0, -4) });
    author.send({ opcode: ping, payload: "in between" });
    author.send({ opcode: continuation, payload: bytes.subarray(-4) });
    expect((await author.next("message"))["content"]).toBe("€");
  });

  it.each([
    ["the first reserved bit", [{ opcode: text, rsv: 4, payload: '{"type":"ping"}' }]],
    ["the second reserved bit", [{ opcode: text, rsv: 2, payload: '{"type":"ping"}' }]],
    ["the third reserved bit", [{ opcode: text, rsv: 1, payload: '{"type":"ping"}' }]],
    ["a reserved data opcode", [{ opcode: 3, payload: '{"type":"ping"}' }]],
    ["the last reserved data opcode", [{ opcode: 7, payload: '{"type":"ping"}' }]],
    ["a reserved control opcode", [{ opcode: 11 }]],
    ["the last reserved control opcode", [{ opcode: 15 }]],
    ["a ping in fragments", [{ opcode: ping, fin: false }]],
    ["a close in fragments", [{ opcode: close, fin: false, payload: closePayload(1000) }]],
    ["a continuation of nothing", [{ opcode: continuation, payload: '{"type":"ping"}' }]],
    [
      "a message in the middle of another",
      [
        { opcode: text, fin: false, payload: '{"type"' },
        { opcode: text, payload: '{"type":"ping"}' },
      ],
    ],
  ])("F06 ends a socket with 1002 for %s", async (_what, frames) => {
    const { check } = await watch(door, "protocol");
    const socket = await enter(door, "protocol");
    for (const frame of frames) socket.send(frame);
    expect(await socket.goodbye()).toBe(1002);
    expect(socket.frames.filter(({ type }) => type === "pong")).toEqual([]);
    await check();
  });

  it("F15 10,000 pings and a message in a thousand fragments of a byte are answered, and nobody waits for them", async () => {
    const { check } = await watch(door, "flood");
    const socket = await enter(door, "flood");
    const bytes = Buffer.from(`{"type":"message","content":"${"x".repeat(969)}"}`);
    socket.write(Buffer.concat(Array.from({ length: 10_000 }, () => frameBytes({ opcode: ping, payload: "x" }))));
    await check();
    const fragments = [...bytes].map((byte, at) =>
      frameBytes({
        opcode: at === 0 ? text : continuation,
        payload: Uint8Array.of(byte),
        fin: at === bytes.length - 1,
      }),
    );
    socket.write(Buffer.concat(fragments));
    expect(await socket.next("ack")).toMatchObject({ duplicate: false });
    await check();
  });

  it("F21 whatever a close looks like, it is one: the others see each person go, once", async () => {
    const { socket: other, check } = await watch(door, "closes");
    const presenceOf = (user: string) =>
      other.frames
        .flatMap((frame) => (frame.type === "presence_changes" ? (frame["changes"] as (typeof frame)[]) : [frame]))
        .filter(({ userId, status }) => userId === user && status !== undefined)
        .map(({ status }) => status);
    const users = await Promise.all(
      ODD_CLOSES.map(async (payload, at) => {
        const user = `leaver-${at}`;
        const leaver = await enter(door, "closes", user);
        await other.until(() => presenceOf(user).length > 0, `${user} to be seen`);
        leaver.send({ opcode: close, payload });
        await leaver.goodbye();
        leaver.destroy();
        return user;
      }),
    );
    await other.until(() => users.every((user) => presenceOf(user).includes("offline")), "all of them to be gone");
    await check();
    for (const user of users) expect(presenceOf(user)).toEqual(["online", "offline"]);
  });

  it.each([
    ["F07", "no JSON", "{", "bad_frame"],
    ["F07", "nothing", "", "bad_frame"],
    ["F07", "null", "null", "bad_frame"],
    ["F07", "a byte order mark", '\ufeff{"type":"ping"}', "bad_frame"],
    ["F08", "a number without bound", '{"type":"read","seq":1e400}', "bad_frame"],
    ["F08", "a number past all that can be told apart", '{"type":"read","seq":9007199254740993}', "bad_frame"],
    ["F09", "8,000 levels", `{"type":"message","content":${"[".repeat(8_000)}${"]".repeat(8_000)}}`, "bad_frame"],
    ["F10", "__proto__", '{"type":"ping","__proto__":{"admin":true}}', "bad_frame"],
    ["F10", "constructor", '{"type":"ping","constructor":{"prototype":{"admin":true}}}', "bad_frame"],
    ["F12", "a type of the server's", '{"type":"ack","seq":1}', "unknown_type"],
    ["F12", "a field too many", '{"type":"ping","role":"mod"}', "bad_frame"],
    ["A08", "a role in a message", '{"type":"message","content":"x","role":"mod"}', "bad_frame"],
    ["F13", "a NUL in content", '{"type":"message","content":"a\\u0000b"}', "bad_content"],
    ["F14", "a lone surrogate in content", '{"type":"message","content":"a\\ud800b"}', "bad_content"],
    [
      "A13",
      "another room",
      '{"type":"message","roomId":"elsewhere","content":"x"}',
      door === "room" ? "bad_frame" : "forbidden",
    ],
  ])("%s %s is answered, and the socket goes on", async (_id, _what, payload, code) => {
    const { check } = await watch(door, "answers");
    const socket = await enter(door, "answers");
    socket.send({ opcode: text, payload });
    expect(await socket.next("error")).toMatchObject({ code });
    socket.say({ type: "ping" });
    await socket.next("pong");
    expect(socket.frames.filter(({ type }) => type === "ack")).toEqual([]);
    await check();
  });

  it("F09 a million levels are too big a frame, and nothing reads them", async () => {
    const socket = await enter(door, "answers");
    socket.send({ opcode: text, payload: "[".repeat(1_000_000) });
    expect(await socket.goodbye()).toBe(4509);
  });

  it("F11 takes the last of two equal keys, and everybody hears the same", async () => {
    const { socket: other } = await watch(door, "twice");
    const socket = await enter(door, "twice");
    socket.send({ opcode: text, payload: '{"type":"ping","type":"message","content":"one","content":"two"}' });
    for (const reader of [socket, other]) expect((await reader.next("message"))["content"]).toBe("two");
  });

  it("F07 closes with 4508 at the tenth frame that nobody can read", async () => {
    const { check } = await watch(door, "answers");
    const socket = await enter(door, "answers");
    for (let strike = 0; strike < 10; strike++) socket.send({ opcode: text, payload: "nonsense" });
    expect(await socket.goodbye()).toBe(4508);
    expect(socket.frames.filter(({ type }) => type === "error")).toHaveLength(10);
    await check();
  });
});

describe("F20 permessage-deflate", () => {
  const offer = { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits" };

  it("is not taken up by a room's door", async () => {
    const socket = await RawSocket.open(addressOf("room", "deflated"), offer);
    open.push(socket);
    expect(socket.head).toMatch(/^HTTP\/1\.1 101 /);
    expect(socket.head).not.toMatch(/sec-websocket-extensions/i);
  });

  it("is not taken up by the Worker in the runtime it is deployed to", async () => {
    // Not under wrangler dev: the proxy it puts in front of the Worker takes up compression by itself.
    const worker = await startWorkerd(await bundleWorker("functions/index.ts"), {
      PUBLIC_URL: "https://chat.example.com",
      CHAT_JWT_SECRET: "q8Zr3vKx0Lw7Ty2Bn5Mj9Hc4Fd6Gs1Pa",
      DATABASE_URL: "postgresql://nobody@localhost/none",
      UPSTASH_REDIS_REST_URL: "http://localhost:1",
      UPSTASH_REDIS_REST_TOKEN: "none",
    });
    try {
      const socket = await RawSocket.open(`${worker.url}/ws`, offer);
      expect(socket.head).toMatch(/^HTTP\/1\.1 101 /);
      expect(socket.head).not.toMatch(/sec-websocket-extensions/i);
      socket.destroy();
    } finally {
      await worker.stop();
    }
  });
});

it("F19 F21 none of it was an exception in either half", async () => {
  expect(await readFaults(stack)).toEqual([]);
});
