import { describe, expect, it } from "vitest";
import { BatchRefused } from "../../domain/batch-refused.ts";
import { readHistory } from "../../domain/history.ts";
import type { RoomTail } from "../../domain/ports/room-link.ts";
import type { Store } from "../../domain/ports/store.ts";
import { ChatError } from "../../protocol/errors.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { World } from "./world.ts";

const settings = { RATE_LIMIT_MAX_MESSAGES: 100_000 };

/** A store that will not take what begins with "poison", for as long as it is told so. */
function picky() {
  const memory = createMemoryStore();
  const control = { store: undefined as unknown as Store, refuses: true, isDown: false, offers: 0, lists: 0 };
  control.store = {
    ...memory,
    async writeBatch(batch) {
      if (control.isDown) throw new ChatError("storage_unavailable");
      const bad = batch.events.filter(({ content }) => control.refuses && content.startsWith("poison"));
      if (bad.length > 0) control.offers += 1;
      await memory.writeBatch({ ...batch, events: batch.events.filter((event) => !bad.includes(event)) });
      if (bad.length > 0) throw new BatchRefused(bad.map(({ seq }) => ({ seq, reason: "unstorable" })));
    },
  };
  return control;
}

async function say(world: World, contents: string[]): Promise<void> {
  await world.store.createChannel({
    app: world.app,
    id: world.channelId,
    type: "lobby",
    name: "Lobby",
    createdBy: "app:demo",
    members: [],
    custom: {},
  });
  const alice = await world.connect("alice");
  for (const content of contents) await alice.post(content);
  await world.advance(2_000);
}

/** Pages of history as the Worker answers them: from the store and from what the room's tail says. */
async function page(world: World, range: { before?: number; after?: number; limit?: number }): Promise<number[]> {
  const rooms = {
    async readTail(_app: unknown, _id: unknown, _caller: unknown, asked?: object): Promise<RoomTail> {
      const query = Object.entries(asked ?? {}).filter(([, value]) => value !== undefined);
      const verb = `tail?${query.map(([name, value]) => `${name}=${value}`).join("&")}`;
      const response = await world.request(verb, await world.token("alice", { kind: "internal" }));
      return (await response.json()) as RoomTail;
    },
    orderRoom: () => Promise.reject(new Error("not asked")),
    orderPerson: () => Promise.reject(new Error("not asked")),
    tellLists: () => Promise.reject(new Error("not asked")),
    readPresence: () => Promise.reject(new Error("not asked")),
    ping: async () => {},
  };
  const { userId } = await world.connect("alice");
  const caller = { kind: "user", app: world.app, userId } as never;
  const { messages } = await readHistory({ store: world.store, rooms }, caller, world.channelId, range);
  return messages.map(({ seq }) => seq);
}

describe.each([
  { room: "a room that stays awake", sleepy: false },
  { room: "a room that sleeps between any two events", sleepy: true },
])("D05 events that history would not take, in $room", ({ sleepy }) => {
  it("D05 are reported, and no later one waits for them", async () => {
    const control = picky();
    const world = new World({ sleepy, store: control.store });
    await say(world, ["one", "poison", "three"]);
    expect((await world.history()).map(({ seq }) => seq)).toEqual([1, 3]);
    expect(world.platform.storage.durable.get("bad:0000000000000002")).toMatchObject({ content: "poison" });
    const reports = world.logged.filter((line) => line.includes("history_row_set_aside") && line.includes('"seq":2'));
    expect(reports).toHaveLength(1);
    await (await world.connect("alice")).post("four");
    await world.advance(2_000);
    expect((await world.history()).map(({ seq }) => seq)).toEqual([1, 3, 4]);
  });

  it.each([
    [{}, [1, 2, 3, 4, 5, 6]],
    [{ limit: 2 }, [5, 6]],
    [{ after: 0 }, [1, 2, 3, 4, 5, 6]],
    [{ after: 0, limit: 2 }, [1, 2]],
    [{ after: 1, limit: 2 }, [2, 3]],
    [{ after: 3 }, [4, 5, 6]],
    [{ before: 3 }, [1, 2]],
    [{ before: 6, limit: 2 }, [4, 5]],
    [{ after: 1, before: 5 }, [2, 3, 4]],
    [{ after: 1, before: 3 }, [2]],
  ])("D05 D06 are in every page of history: %j", async (range, seqs) => {
    const world = new World({ sleepy, store: picky().store });
    await say(world, ["one", "poison 2", "three", "four", "poison 5", "six"]);
    expect(await page(world, range)).toEqual(seqs);
  });

  it("D05 are offered again, at growing distances, until history takes them", async () => {
    const control = picky();
    const world = new World({ sleepy, store: control.store });
    await say(world, ["one", "poison", "three"]);
    const first = control.offers;
    await world.advance(6 * 3_600_000);
    expect(control.offers - first).toBeGreaterThanOrEqual(9);
    expect(control.offers - first).toBeLessThanOrEqual(13);
    control.refuses = false;
    await world.advance(3_700_000);
    expect((await world.history()).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(world.platform.storage.keys("bad:")).toEqual([]);
    expect(world.room.outbox.nextAt()).toBeUndefined();
  });

  it("D05 wait while history is away, and hold up nobody", async () => {
    const control = picky();
    const world = new World({ sleepy, settings, store: control.store });
    await say(world, ["one", "poison", "three"]);
    control.refuses = false;
    control.isDown = true;
    const alice = await world.connect("alice");
    for (let n = 0; n < 5; n++) {
      expect(await alice.post(`n${n}`)).toMatchObject({ type: "ack" });
      await world.advance(60_000);
    }
    control.isDown = false;
    await world.advance(3_700_000);
    expect((await world.history()).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

describe("D05 many events that history would not take", () => {
  it("D05 are offered in batches, all of them, and are in history in the end", async () => {
    const control = picky();
    const world = new World({ settings, store: control.store });
    await say(
      world,
      Array.from({ length: 250 }, (_, at) => `poison ${at}`),
    );
    expect(await world.history()).toEqual([]);
    expect(await page(world, { after: 0, limit: 200 })).toHaveLength(200);
    control.refuses = false;
    await world.advance(3_700_000);
    expect(await world.history()).toHaveLength(250);
    expect(world.room.outbox.backlog.events).toBe(0);
  });

  it("D05 are offered round after round when the last batch of a round is a full one", async () => {
    const control = picky();
    const world = new World({ settings, store: control.store });
    await say(
      world,
      Array.from({ length: 100 }, (_, at) => `poison ${at}`),
    );
    const first = control.offers;
    await world.advance(600_000);
    expect(control.offers - first).toBe(3);
    expect(world.room.outbox.nextAt()).toBeGreaterThan(world.now);
    control.refuses = false;
    await world.advance(3_700_000);
    expect(await world.history()).toHaveLength(100);
    expect(world.room.outbox.nextAt()).toBeUndefined();
  });

  it("D05 D12 are neither lost nor counted twice when the process dies while they are set aside", async () => {
    const control = picky();
    const world = new World({ store: control.store });
    const alice = await world.connect("alice");
    for (const content of ["one", "poison", "three"]) await alice.post(content);
    world.platform.storage.hold();
    await world.advance(2_000);
    world.crash();
    await world.connect("alice");
    await world.advance(2_000);
    expect(world.room.outbox.backlog.events).toBe(1);
    control.refuses = false;
    await world.advance(3_700_000);
    expect((await world.history()).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(world.room.outbox.backlog.events).toBe(0);
  });

  it("D04 D05 count as what history does not have", async () => {
    const world = new World({ store: picky().store });
    await say(world, ["one", "poison", "three", "poison too"]);
    expect(world.room.outbox.backlog.events).toBe(2);
  });
});
