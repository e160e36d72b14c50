import { describe, expect, it } from "vitest";
import { BatchRefused } from "../../../domain/batch-refused.ts";
import type { Store } from "../../../domain/ports/store.ts";
import type { AppId, ClientMessageId } from "../../../protocol/ids.ts";
import { batchOf, channelOf, eventOf, eventsOf, newApp, newcomer, type Opened, room, user } from "./opened-store.ts";

export function describeBatches(opened: Opened): void {
  const all = (store: Store, app: AppId) => store.listEvents(app, room("general"), { limit: 1_000 });
  const refusal = async (work: Promise<void>) => {
    const error: unknown = await work.catch((thrown: unknown) => thrown);
    return error instanceof BatchRefused ? error.refused : error;
  };

  describe("a room's batch", () => {
    it("is written whole: events, head, members and read marks", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app));
      const reads = [
        { userId: user("bob"), seq: 2 },
        { userId: user("bob"), seq: 3 },
        { userId: user("bob"), seq: 1 },
        { userId: user("stranger"), seq: 3 },
      ];
      await store.writeBatch(batchOf(app, { events: eventsOf(1, 3), members: [newcomer("bob")], reads }));
      expect(await all(store, app)).toEqual(eventsOf(1, 3));
      expect(await store.findChannel(app, room("general"))).toMatchObject({ headSeq: 3, epoch: "epoch-1" });
      expect(await store.findMember(app, room("general"), user("bob"))).toEqual({
        userId: "bob",
        role: "member",
        readSeq: 3,
      });
      expect(await store.findMember(app, room("general"), user("stranger"))).toBeUndefined();
    });

    it("D03 changes nothing when it is written again", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app));
      const batch = batchOf(app, { events: eventsOf(1, 5), members: [newcomer("bob"), newcomer("alice")] });
      await store.writeBatch(batch);
      await store.writeBatch(batchOf(app, { events: eventsOf(6, 8), reads: [{ userId: user("bob"), seq: 8 }] }));
      await store.writeBatch({ ...batch, reads: [{ userId: user("bob"), seq: 4 }] });
      expect(await all(store, app)).toEqual(eventsOf(1, 8));
      expect(await store.findChannel(app, room("general"))).toMatchObject({ headSeq: 8 });
      expect(await store.findMember(app, room("general"), user("bob"))).toMatchObject({ readSeq: 8 });
      expect(await store.findMember(app, room("general"), user("alice"))).toMatchObject({ role: "owner" });
    });

    it("D03 may overlap with the same batch written at the same time", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app));
      const writes = [1, 4, 2, 1, 3].map((from) => store.writeBatch(batchOf(app, { events: eventsOf(from, 40) })));
      await Promise.all(writes);
      expect(await all(store, app)).toEqual(eventsOf(1, 40));
    });

    it("takes the head's epoch from the newest event only", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app));
      await store.writeBatch(batchOf(app, { events: [eventOf(1), eventOf(3, { epoch: "epoch-2" })] }));
      await store.writeBatch(batchOf(app, { events: [eventOf(2)] }));
      expect(await store.findChannel(app, room("general"))).toMatchObject({ headSeq: 3, epoch: "epoch-2" });
    });

    it("is kept when the channel's row is missing, and the row goes on from there when it comes", async () => {
      const { store } = opened();
      const app = newApp();
      const batch = batchOf(app, { events: eventsOf(1, 3), members: [newcomer("bob")], reads: [] });
      await store.writeBatch(batch);
      expect(await all(store, app)).toEqual(eventsOf(1, 3));
      const { channel, created } = await store.createChannel(channelOf(app));
      expect({ created, channel }).toMatchObject({ created: true, channel: { headSeq: 3, epoch: "epoch-1" } });
      expect(await store.listMembers(app, room("general"), 10)).toEqual({ count: 2, userIds: ["alice", "bob"] });
    });

    it("may hold nothing but members or read marks, or nothing", async () => {
      const { store } = opened();
      const app = newApp();
      await store.writeBatch(batchOf(app, { members: [newcomer("bob")] }));
      await store.writeBatch(batchOf(app, { reads: [{ userId: user("bob"), seq: 9 }] }));
      await store.writeBatch(batchOf(app));
      expect(await store.findMember(app, room("general"), user("bob"))).toMatchObject({ readSeq: 9 });
    });

    it("names the events whose place has other content, and writes the others", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app));
      await store.writeBatch(batchOf(app, { events: eventsOf(1, 2) }));
      const other = eventOf(2, { id: "other", content: "Other", clientMessageId: "client-other" as ClientMessageId });
      const batch = batchOf(app, { events: [eventOf(1), other, eventOf(3)], members: [newcomer("bob")] });
      expect(await refusal(store.writeBatch(batch))).toEqual([{ seq: 2, reason: "conflict" }]);
      expect(await all(store, app)).toEqual(eventsOf(1, 3));
      expect(await store.findChannel(app, room("general"))).toMatchObject({ headSeq: 3 });
      expect(await store.findMember(app, room("general"), user("bob"))).toMatchObject({ role: "member" });
    });

    it.each([{ content: "Something else" }, { id: "another" }, { userId: user("bob") }, { epoch: "epoch-2" }])(
      "names an event whose place has one that differs only in %j, and keeps what is there",
      async (change) => {
        const { store } = opened();
        const app = newApp();
        await store.writeBatch(batchOf(app, { events: eventsOf(1, 2) }));
        const other = eventOf(2, { clientMessageId: null, ...change });
        expect(await refusal(store.writeBatch(batchOf(app, { events: [other] })))).toEqual([
          { seq: 2, reason: "conflict" },
        ]);
        expect(await all(store, app)).toEqual(eventsOf(1, 2));
      },
    );

    it("I06 names the events whose client message id has another place, however old", async () => {
      const { store } = opened();
      const app = newApp();
      await store.writeBatch(batchOf(app, { events: eventsOf(1, 2) }));
      const again = eventOf(3, { clientMessageId: "client-1" as ClientMessageId });
      expect(await refusal(store.writeBatch(batchOf(app, { events: [again, eventOf(4)] })))).toEqual([
        { seq: 3, reason: "conflict" },
      ]);
      expect((await all(store, app)).map(({ seq }) => seq)).toEqual([1, 2, 4]);
    });

    it("D05 names the events the database cannot hold, and writes the others with members and read marks", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app));
      const poison = new Map([
        [3, "nul \u0000"],
        [4, "lone \ud800"],
        [20, "nul \u0000 again"],
      ]);
      const events = eventsOf(1, 20).map((event) => ({ ...event, content: poison.get(event.seq) ?? event.content }));
      const batch = batchOf(app, { events, members: [newcomer("bob")], reads: [{ userId: user("bob"), seq: 9 }] });
      expect(await refusal(store.writeBatch(batch))).toEqual(
        [...poison.keys()].map((seq) => ({ seq, reason: "unstorable" })),
      );
      expect(await all(store, app)).toEqual(eventsOf(1, 19).filter(({ seq }) => !poison.has(seq)));
      expect(await store.findChannel(app, room("general"))).toMatchObject({ headSeq: 19 });
      expect(await store.findMember(app, room("general"), user("bob"))).toMatchObject({ readSeq: 9 });
    });
  });
}
