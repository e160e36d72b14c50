import { describe, expect, it } from "vitest";
import type { ClientMessageId } from "../../../protocol/ids.ts";
import { batchOf, eventOf, eventsOf, newApp, type Opened, room, user } from "./opened-store.ts";

export function describeHistory(opened: Opened): void {
  describe("history", () => {
    const seqs = (events: { seq: number }[]) => events.map(({ seq }) => seq);

    it("returns an event exactly as it was written", async () => {
      const { store } = opened();
      const app = newApp();
      const event = eventOf(1, { content: "zwölf 👩‍👩‍👧 \t\n 'quoted' \"twice\" \\ %s $1 {}", clientMessageId: null });
      await store.writeBatch(batchOf(app, { events: [event] }));
      expect(await store.listEvents(app, room("general"), { limit: 10 })).toEqual([event]);
    });

    it("pages backwards from the newest, each page ascending", async () => {
      const { store } = opened();
      const app = newApp();
      await store.writeBatch(batchOf(app, { events: eventsOf(1, 10) }));
      const page = (before?: number) => store.listEvents(app, room("general"), { before, limit: 4 });
      expect(seqs(await page())).toEqual([7, 8, 9, 10]);
      expect(seqs(await page(7))).toEqual([3, 4, 5, 6]);
      expect(seqs(await page(3))).toEqual([1, 2]);
      expect(seqs(await page(1))).toEqual([]);
    });

    it("pages forwards after a position", async () => {
      const { store } = opened();
      const app = newApp();
      await store.writeBatch(batchOf(app, { events: eventsOf(1, 10) }));
      const page = (after: number) => store.listEvents(app, room("general"), { after, limit: 4 });
      expect(seqs(await page(0))).toEqual([1, 2, 3, 4]);
      expect(seqs(await page(4))).toEqual([5, 6, 7, 8]);
      expect(seqs(await page(8))).toEqual([9, 10]);
      expect(seqs(await page(10))).toEqual([]);
      expect(seqs(await page(Number.MAX_SAFE_INTEGER))).toEqual([]);
    });

    it("takes both ends at once, and then the newest of what is between", async () => {
      const { store } = opened();
      const app = newApp();
      await store.writeBatch(batchOf(app, { events: eventsOf(1, 10) }));
      const page = (limit: number) => store.listEvents(app, room("general"), { after: 2, before: 8, limit });
      expect(seqs(await page(10))).toEqual([3, 4, 5, 6, 7]);
      expect(seqs(await page(2))).toEqual([6, 7]);
    });

    it("pages over positions that are missing", async () => {
      const { store } = opened();
      const app = newApp();
      await store.writeBatch(batchOf(app, { events: [eventOf(2), eventOf(5), eventOf(900)] }));
      expect(seqs(await store.listEvents(app, room("general"), { after: 2, limit: 2 }))).toEqual([5, 900]);
      expect(seqs(await store.listEvents(app, room("general"), { before: 900, limit: 2 }))).toEqual([2, 5]);
    });

    it("T03 shows nothing of another app's channel of the same id, nor of another channel", async () => {
      const { store } = opened();
      const [one, two] = [newApp(), newApp()];
      await store.writeBatch(batchOf(one, { events: eventsOf(1, 2) }));
      expect(await store.listEvents(two, room("general"), { limit: 10 })).toEqual([]);
      expect(await store.listEvents(one, room("other"), { limit: 10 })).toEqual([]);
    });

    it("I03 takes one client message id once per user, channel and app", async () => {
      const { store } = opened();
      const [one, two] = [newApp(), newApp()];
      const clientMessageId = "client-1" as ClientMessageId;
      await store.writeBatch(
        batchOf(one, { events: [eventOf(1), eventOf(2, { clientMessageId, userId: user("bob") })] }),
      );
      await store.writeBatch(batchOf(one, { channelId: room("other"), events: [eventOf(1)] }));
      await store.writeBatch(batchOf(two, { events: [eventOf(1)] }));
      expect(await store.listEvents(one, room("general"), { limit: 10 })).toHaveLength(2);
    });
  });
}
