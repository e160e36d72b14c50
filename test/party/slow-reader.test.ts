import { describe, expect, it } from "vitest";
import { pour, readOn, seqs, settings, upTo } from "./reading.ts";
import { settle, World } from "./world.ts";

const CASES = [
  { room: "a room that stays awake", sleepy: false, lines: false },
  { room: "a room that stays awake, in lines", sleepy: false, lines: true },
  { room: "a room that sleeps between any two events", sleepy: true, lines: false },
  { room: "a room that sleeps between any two events, in lines", sleepy: true, lines: true },
];

/** Somebody who writes and acknowledges by writing, and somebody who only reads. */
async function open({ sleepy, lines }: { sleepy: boolean; lines: boolean }) {
  const world = new World({ settings, sleepy });
  const [author, reader] = [await world.connect("author"), await world.connect("reader", { lines })];
  await world.advance(1_000);
  return { world, author, reader };
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

  it("X07 is shown nobody as typing while it would not hear of the end, and who is typing once it is level again", async () => {
    const { world, author, reader } = await open(how);
    const ada = await world.connect("ada");
    const shown = () => {
      const typing = reader.all("typing_indicator").map(({ userId, isTyping }) => [userId, isTyping] as const);
      return [...new Map(typing)].filter(([, isTyping]) => isTyping).map(([userId]) => userId);
    };
    for (const client of [ada, reader]) await client.say({ type: "typing", isTyping: true });
    await world.advance(15);
    expect(shown()).toEqual(["ada"]);
    await pour(world, author, 600);
    expect(shown()).toEqual([]);
    await ada.say({ type: "typing", isTyping: false });
    await world.advance(1_000);
    await author.say({ type: "typing", isTyping: true });
    expect(shown()).toEqual([]);
    await readOn(reader, 600);
    expect(shown()).toEqual(["author"]);
    await world.advance(6_000);
    expect(shown()).toEqual([]);
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
