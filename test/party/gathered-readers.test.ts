import { describe, expect, it } from "vitest";
import type { Client } from "./client.ts";
import { atOnce, seqs, settings, upTo } from "./reading.ts";
import { World } from "./world.ts";

/** What they have received so far. */
async function sayReceived(world: World, readers: readonly Client[]): Promise<void> {
  for (const reader of readers)
    await world.room.message(reader.connection, `{"type":"received","seq":${seqs(reader).length}}`);
}

async function catchUp(world: World, readers: readonly Client[]): Promise<void> {
  for (let round = 0; round < 6; round++) {
    await sayReceived(world, readers);
    await world.advance(20);
  }
}

/** 450 messages: 62 more may be on their way to whoever acknowledges none. */
async function nearlyStop(world: World, author: Client): Promise<void> {
  for (let at = 0; at < 5; at++) {
    atOnce(world, author, 90);
    await world.advance(20);
  }
}

describe("a reader to whom too much is on its way, while frames are gathered", () => {
  it("F18 gathers no more than a reader can take that has acknowledged everything", async () => {
    const world = new World({ settings });
    const crowd = await world.crowd(100);
    const alice = await world.connect("alice");
    await sayReceived(world, crowd);
    await world.advance(1_000);
    atOnce(world, alice, 600);
    await world.advance(50);
    for (const reader of crowd) expect(seqs(reader).length).toBeGreaterThanOrEqual(256);
    await catchUp(world, crowd);
    for (const reader of crowd) expect(seqs(reader)).toEqual(upTo(600));
  });

  it("F18 pushes no more to a reader that gets frames of its own in between", async () => {
    const world = new World({ settings });
    const alice = await world.connect("alice");
    const deaf = await world.connect("deaf", { lines: true });
    const late = await world.connect("late", { lines: true });
    await sayReceived(world, [deaf, late]);
    await (await world.connect("ada")).say({ type: "typing", isTyping: true });
    const say = async (count: number) => {
      atOnce(world, alice, count);
      await world.advance(0);
    };
    await nearlyStop(world, alice);
    await say(5);
    await world.room.message(deaf.connection, `{"type":"ping"}`);
    await say(150);
    await world.room.message(late.connection, `{"type":"ping"}`);
    await world.advance(20);
    for (const reader of [deaf, late]) {
      expect(seqs(reader).length).toBeLessThanOrEqual(512);
      expect(reader.last("pong")).toBeDefined();
      const typing = () => reader.all("typing_indicator").map(({ isTyping }) => isTyping);
      expect(typing()).toEqual([true, false]);
      await catchUp(world, [reader]);
      expect(seqs(reader)).toEqual(upTo(605));
      expect(typing()).toEqual([true, false, true]);
    }
  });

  it("X04 X07 tells a reader that is stopped what was gathered with the messages that it was not sent", async () => {
    const world = new World({ settings });
    const [alice, ada] = [await world.connect("alice"), await world.connect("ada")];
    const reader = await world.connect("reader", { lines: true });
    await sayReceived(world, [reader]);
    await ada.say({ type: "typing", isTyping: true });
    await nearlyStop(world, alice);
    await world.advance(1_000); // nobody's typing is told of more often
    await world.connect("carol");
    await world.advance(95); // who has come is told after 100
    atOnce(world, alice, 5);
    await world.advance(1);
    void world.room.message(ada.connection, `{"type":"typing","isTyping":false}`);
    await world.advance(5);
    expect(alice.last("presence")).toMatchObject({ userId: "carol" });
    expect(alice.last("typing_indicator")).toMatchObject({ isTyping: false });
    atOnce(world, alice, 100);
    await world.advance(15);
    expect(seqs(reader).length).toBeLessThan(460);
    expect(reader.last("typing_indicator")).toMatchObject({ userId: "ada", isTyping: false });
    expect(reader.all("presence").map(({ userId }) => userId)).not.toContain("carol");
    await catchUp(world, [reader]);
    expect(seqs(reader)).toEqual(upTo(555));
    expect(reader.last("presence_count").sample.map(({ userId }) => userId)).toContain("carol");
  });
});
