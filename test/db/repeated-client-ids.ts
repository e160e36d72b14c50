import { describe, expect, it } from "vitest";
import { BatchRefused } from "../../domain/batch-refused.ts";
import type { ClientMessageId } from "../../protocol/ids.ts";
import { batchOf, eventOf, eventsOf, newApp, type Opened, room, user } from "./contract/opened-store.ts";

export function describeRepeatedClientIds(opened: Opened): void {
  describe("an event's client id", () => {
    it("I06 finds the event, for its own user, channel and app only", async () => {
      const { store } = opened();
      const app = newApp();
      const id = "client-1" as ClientMessageId;
      const masked = eventOf(1, { moderation: "masked", sentHash: 2 ** 52 + 1 });
      await store.writeBatch(batchOf(app, { events: [masked, eventOf(2)] }));
      expect(await store.findByClientId(app, room("general"), user("alice"), id)).toEqual(masked);
      expect(await store.findByClientId(app, room("general"), user("bob"), id)).toBeUndefined();
      expect(await store.findByClientId(app, room("other"), user("alice"), id)).toBeUndefined();
      expect(await store.findByClientId(newApp(), room("general"), user("alice"), id)).toBeUndefined();
      const another = "client-3" as ClientMessageId;
      expect(await store.findByClientId(app, room("general"), user("alice"), another)).toBeUndefined();
    });
  });

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
