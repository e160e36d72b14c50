import { describe, expect, it, vi } from "vitest";
import { settle, World } from "./world.ts";
import type { Client } from "./client.ts";

const settings = { RATE_LIMIT_MAX_MESSAGES: 100_000 };
const CASES = [
  { room: "a room that stays awake", sleepy: false, lines: false },
  { room: "a room that stays awake, in lines", sleepy: false, lines: true },
  { room: "a room that sleeps between any two events", sleepy: true, lines: false },
  { room: "a room that sleeps between any two events, in lines", sleepy: true, lines: true },
];

/** Many messages in one waking: a room that is put to sleep sleeps before and after them. */
async function pour(world: World, author: Client, count: number, content = "x".repeat(200)): Promise<void> {
  await author.say({ type: "typing", isTyping: false });
  for (let at = 0; at < count; at++)
    await world.room.message(author.connection, `{"type":"message","content":"${content}"}`);
  await world.advance(15);
}

/** Somebody who writes and acknowledges by writing, and somebody who only reads. */
async function open({ sleepy, lines }: { sleepy: boolean; lines: boolean }) {
  const world = new World({ settings, sleepy });
  const [author, reader] = [await world.connect("author"), await world.connect("reader", { lines })];
  await world.advance(1_000);
  return { world, author, reader };
}

const seqs = (client: Client) => client.all("message").map(({ seq }) => seq);
const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);

/** What a client does that says what it has received: every 32 messages here, and at the end. */
async function readOn(client: Client, last: number): Promise<void> {
  for (let said = -1; said < last;) {
    const newest = seqs(client).at(-1) ?? 0;
    if (newest === said) throw new Error(`The reader is stuck at ${newest} of ${last}`);
    said = newest;
    await client.say({ type: "received", roomId: "lobby", seq: newest });
  }
}

describe.each(CASES)("F18 a reader that does not read, in $room", (how) => {
  it("is sent 512 messages and no more, while the others get everything", async () => {
    const { world, author, reader } = await open(how);
    await pour(world, author, 700);
    expect(seqs(author)).toEqual(upTo(700));
    // What is gathered is sent whole or not at all.
    expect(seqs(reader).length).toBeGreaterThanOrEqual(how.lines ? 300 : 512);
    expect(seqs(reader)).toEqual(upTo(Math.min(512, seqs(reader).length)));
  });

  it("is closed with 4002 after 30 s without progress", async () => {
    const { world, author, reader } = await open(how);
    await pour(world, author, 600);
    await world.advance(29_000);
    expect(reader.closed).toBeUndefined();
    await world.advance(1_100);
    expect(reader.closed).toEqual({ code: 4002, reason: "slow_consumer" });
    expect(author.closed).toBeUndefined();
  });

  it("reads on from the log as it acknowledges, without hole or repeat, and is level again", async () => {
    const { world, author, reader } = await open(how);
    await pour(world, author, 1_500);
    await readOn(reader, 1_500);
    await pour(world, author, 10);
    expect(seqs(reader)).toEqual(upTo(1_510));
    await world.advance(60_000);
    expect(reader.closed?.code).not.toBe(4002);
  });

  it("is never sent more than it may have on its way, however much there is to catch up with", async () => {
    const { world, author, reader } = await open(how);
    await pour(world, author, 2_000);
    for (let acknowledged = 0; acknowledged < 2_000;) {
      expect(seqs(reader).length - acknowledged).toBeLessThanOrEqual(512);
      acknowledged = Math.min(acknowledged + 64, seqs(reader).at(-1) ?? 0);
      await reader.say({ type: "received", seq: acknowledged });
    }
    expect(seqs(reader)).toEqual(upTo(2_000));
  });

  it("stays as long as it makes progress, however slow", async () => {
    const { world, author, reader } = await open(how);
    await pour(world, author, 600);
    for (let seq = 10; seq <= 100; seq += 10) {
      await world.advance(20_000);
      await reader.say({ type: "received", seq });
    }
    expect(reader.closed).toBeUndefined();
    expect(seqs(reader).length).toBeLessThanOrEqual(512);
  });

  it("takes only `received` also from who has said it before there was anything to receive", async () => {
    const { world, author, reader } = await open(how);
    await reader.say({ type: "ping" });
    await reader.say({ type: "received", roomId: "lobby", seq: 0 });
    for (let round = 0; round < 4; round++) {
      await pour(world, author, 200);
      await reader.say({ type: "ping" });
    }
    expect(seqs(author)).toEqual(upTo(800));
    expect(seqs(reader)).toEqual(upTo(seqs(reader).length));
    expect(seqs(reader).length).toBeLessThan(700); // what is gathered is sent whole
  });

  it("is answered all the same", async () => {
    const { world, author, reader } = await open(how);
    await pour(world, author, 600);
    await reader.say({ type: "received", seq: 1 });
    await reader.say({ type: "ping" });
    expect(await reader.post("still here")).toMatchObject({ type: "ack", seq: 601 });
    await reader.say({ type: "nonsense" });
    await world.advance(15);
    expect(reader.all("pong")).toHaveLength(1);
    expect(reader.last("error").code).toBe("unknown_type");
    expect(seqs(reader).length).toBeLessThanOrEqual(512);
  });

  it("knows who is here once it is level again", async () => {
    const { world, author, reader } = await open(how);
    await pour(world, author, 600);
    await world.connect("late");
    await world.advance(1_000);
    expect(reader.all("presence").map(({ userId }) => userId)).not.toContain("late");
    await readOn(reader, 600);
    expect(reader.last("presence_count")).toMatchObject({ memberCount: 3 });
    expect(reader.last("presence_count").sample.map(({ userId }) => userId)).toEqual(
      expect.arrayContaining(["author", "reader", "late"]),
    );
  });

  it("acknowledges by any frame as long as it never says `received`", async () => {
    const { world, author, reader } = await open(how);
    for (let round = 1; round <= 4; round++) {
      await pour(world, author, 300);
      await reader.say({ type: "typing", isTyping: false });
    }
    await world.advance(15);
    expect(seqs(reader)).toEqual(upTo(1_200));
  });

  it("catches up with nothing but pings as long as it never says `received`", async () => {
    const { world, author, reader } = await open(how);
    await pour(world, author, 1_200);
    for (let pings = 0; pings < 6; pings++) await reader.say({ type: "ping" });
    expect(seqs(reader)).toEqual(upTo(1_200));
  });
});

describe("F18 flow control", () => {
  it("counts bytes too: a megabyte of long messages", async () => {
    const { world, author, reader } = await open({ sleepy: false, lines: false });
    await pour(world, author, 500, "ü".repeat(1_000));
    const bytes = Buffer.byteLength(reader.connection.received.join(""));
    expect(seqs(author)).toHaveLength(500);
    expect(bytes).toBeGreaterThan(500_000);
    expect(bytes).toBeLessThanOrEqual(1024 * 1024 + 4_096);
    await readOn(reader, 500);
    expect(seqs(reader)).toEqual(upTo(500));
  });

  it("takes only `received` from who has said it once, and not more than was sent", async () => {
    const { world, author, reader } = await open({ sleepy: false, lines: false });
    await reader.say({ type: "received", seq: 9_999 });
    await pour(world, author, 600);
    for (let pings = 0; pings < 5; pings++) await reader.say({ type: "ping" });
    expect(seqs(reader)).toHaveLength(512);
  });

  it("hands over from the log to what is live while others go on writing", async () => {
    const { world, author, reader } = await open({ sleepy: false, lines: true });
    await pour(world, author, 1_200);
    const frame = '{"type":"message","content":"meanwhile"}';
    for (let round = 0; round < 40; round++) {
      const newest = seqs(reader).at(-1) ?? 0;
      for (const seq of [newest - 3, newest])
        void world.room.message(reader.connection, JSON.stringify({ type: "received", seq }));
      // The room is now reading pages from storage, or has just gone live.
      for (let at = 0; at < 5; at++) void world.room.message(author.connection, frame);
      await settle();
      await world.advance(15);
    }
    expect(seqs(reader)).toEqual(upTo(1_400));
  });

  it("neither repeats nor leaves out what is being gathered when somebody is level again", async () => {
    const { world, author, reader } = await open({ sleepy: false, lines: true });
    await pour(world, author, 600);
    await world.advance(1_000);
    const write = () => world.room.message(author.connection, '{"type":"message","content":"gathered"}');
    for (let at = 0; at < 10; at++) await write();
    await readOn(reader, 610);
    for (let at = 0; at < 10; at++) await write();
    await world.advance(15);
    await readOn(reader, 620);
    expect(seqs(reader)).toEqual(upTo(620));
  });

  it("closes with 4003 who misses what the log no longer holds", async () => {
    const { world, author, reader } = await open({ sleepy: false, lines: false });
    await reader.say({ type: "received", seq: 0 });
    await pour(world, author, 600);
    for (let kept = 600; kept < 11_400; kept += 400) {
      await pour(world, author, 400, "y");
      await world.advance(2_000);
      await reader.say({ type: "received", seq: Math.floor(kept / 1_000) }); // progress, but hardly any
    }
    expect(world.room.order?.log.first).toBeGreaterThan(513);
    await reader.say({ type: "received", seq: 400 });
    expect(reader.closed).toEqual({ code: 4003, reason: "resync" });
  });

  it("keeps nothing for whom it does not push to", async () => {
    const { world, author, reader } = await open({ sleepy: false, lines: true });
    await pour(world, author, 600);
    const sent = reader.connection.received.length;
    await pour(world, author, 2_000);
    await world.advance(1_000);
    expect(reader.connection.received).toHaveLength(sent);
  });

  it("reads storage once for all who fell behind together", async () => {
    const listsFor = async (readers: number) => {
      const world = new World({ settings });
      const author = await world.connect("author");
      const slow = [];
      for (let at = 0; at < readers; at++) slow.push(await world.connect(`slow-${at}`, { lines: true }));
      await pour(world, author, 1_500);
      await world.advance(1_000); // history has it all
      const list = vi.spyOn(world.platform.storage, "list");
      await Promise.all(slow.map((reader) => readOn(reader, 1_500)));
      for (const reader of slow) expect(seqs(reader)).toEqual(upTo(1_500));
      return list.mock.calls.length;
    };
    const alone = await listsFor(1);
    expect(alone).toBeGreaterThan(1);
    expect(await listsFor(20)).toBeLessThan(3 * alone);
  });

  it("gives back what it remembers of storage with the next alarm", async () => {
    const world = new World({ settings });
    const author = await world.connect("author");
    const [one, other] = [await world.connect("one", { lines: true }), await world.connect("other", { lines: true })];
    await pour(world, author, 1_500);
    await world.advance(1_000);
    await readOn(one, 1_500);
    const list = vi.spyOn(world.platform.storage, "list");
    await world.room.alarm();
    await readOn(other, 1_500);
    expect(list.mock.calls.filter(([{ prefix }]) => prefix === "m:").length).toBeGreaterThan(0);
  });

  it("tells nobody but the author the ids of what is read back from storage", async () => {
    const world = new World({ settings });
    const author = await world.connect("author");
    const [own, other] = [
      await world.connect("author", { lines: true }),
      await world.connect("other", { lines: true }),
    ];
    const idOf = (seq: number) => `cid-${String(seq).padStart(8, "0")}`;
    await own.say({ type: "received", roomId: "lobby", seq: 0 });
    await author.say({ type: "typing", isTyping: false });
    for (const seq of upTo(1_500)) {
      const message = { type: "message", content: "x".repeat(900), clientMessageId: idOf(seq) };
      await world.room.message(author.connection, JSON.stringify(message));
      if (seq % 100 === 0) await author.say({ type: "ping" });
    }
    await world.advance(1_000);
    for (const reader of [own, other]) {
      await readOn(reader, 1_500);
      expect(seqs(reader)).toEqual(upTo(1_500));
    }
    expect(own.all("message").map(({ clientMessageId }) => clientMessageId)).toEqual(upTo(1_500).map(idOf));
    expect(other.all("message").filter((message) => "clientMessageId" in message)).toEqual([]);
  });

  it("saves what sockets carry when the state changes, and not for each delivery", async () => {
    const { world, author, reader } = await open({ sleepy: false, lines: false });
    let saves = 0;
    const { setState } = reader.connection;
    reader.connection.setState = (state) => {
      saves++;
      return setState.call(reader.connection, state);
    };
    for (let seq = 32; seq <= 320; seq += 32) {
      await pour(world, author, 32);
      await reader.say({ type: "received", seq });
    }
    expect(seqs(reader)).toHaveLength(320);
    expect(saves).toBeLessThan(8);
  });

  it.each([false, true])(
    "closes with 4002 who is not heard of while 2 MiB of presence and typing go to it, in lines: %s",
    async (lines) => {
      const world = new World();
      const [silent, alive] = [await world.connect("silent", { lines }), await world.connect("alive", { lines })];
      const frame = JSON.stringify({
        type: "typing_indicator",
        roomId: "lobby",
        userId: "bob",
        username: "b".repeat(900),
        isTyping: true,
      });
      for (let kilobytes = 0; kilobytes < 2_000; kilobytes++) {
        world.room.fanOut.toAll(frame);
        if (kilobytes % 100 === 0) await world.advance(20);
        if (kilobytes % 500 === 0) await alive.say({ type: "ping" });
      }
      expect(silent.closed).toBeUndefined();
      for (let kilobytes = 0; kilobytes < 300; kilobytes++) world.room.fanOut.toAll(frame);
      await world.advance(20);
      expect(silent.closed).toEqual({ code: 4002, reason: "slow_consumer" });
      expect(alive.closed).toBeUndefined();
      expect(await alive.post("still here")).toMatchObject({ type: "ack" });
    },
  );

  it("lets a socket ask for the log twenty times at once, not for ever", async () => {
    const { world, author, reader } = await open({ sleepy: false, lines: false });
    await pour(world, author, 50);
    for (let asked = 0; asked < 30; asked++) await reader.say({ type: "join_room", roomId: "lobby" });
    expect(reader.all("room_joined")).toHaveLength(21);
    expect(reader.last("error")).toMatchObject({ code: "rate_limited" });
    await world.advance(1_000);
    await reader.say({ type: "join_room", roomId: "lobby" });
    expect(reader.all("room_joined")).toHaveLength(22);
  });
});
