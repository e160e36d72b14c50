import { describe, expect, it } from "vitest";
import { BatchRefused } from "../../domain/batch-refused.ts";
import type { ClientMessageId } from "../../protocol/ids.ts";
import { batchOf, eventOf, eventsOf, newApp, type Opened, room } from "./contract/opened-store.ts";

export function describeRepeatedClientIds(opened: Opened): void {
  describe("an event whose client id has another place", () => {
    it("I06 is taken at its own seq without that id, and offered with it again it changes nothing", async () => {
      const { store } = opened();
      const app = newApp();
      await store.writeBatch(batchOf(app, { events: eventsOf(1, 2) }));
      const again = eventOf(3, { clientMessageId: "client-1" as ClientMessageId });
      await expect(store.writeBatch(batchOf(app, { events: [again] }))).rejects.toBeInstanceOf(BatchRefused);
      const kept = { ...again, clientMessageId: null };
      await store.writeBatch(batchOf(app, { events: [kept] }));
      await store.writeBatch(batchOf(app, { events: [again] }));
      expect(await store.listEvents(app, room("general"), { limit: 10 })).toEqual([...eventsOf(1, 2), kept]);
    });
  });
}
