import { describe, expect, it, vi } from "vitest";
import { pour, readOn, seqs, settings, upTo } from "./reading.ts";
import { World } from "./world.ts";

describe("F18 readers far behind", () => {
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
});
