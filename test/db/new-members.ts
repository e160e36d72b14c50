import { describe, expect, it } from "vitest";
import { batchOf, channelOf, newApp, type Opened, room, user } from "./contract/opened-store.ts";

export function describeNewMembers(opened: Opened): void {
  describe("people who joined, in a room's batch", () => {
    it("a new one starts reading where the batch says, and stays there", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app));
      await store.writeBatch(batchOf(app, { members: [{ userId: user("bob"), readSeq: 7 }] }));
      await store.writeBatch(batchOf(app, { members: [{ userId: user("bob"), readSeq: 9 }] }));
      expect(await store.findMember(app, room("general"), user("bob"))).toEqual({
        userId: "bob",
        role: "member",
        readSeq: 7,
      });
    });

    it("one who is there already keeps role and mark", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app, { members: [user("bob")] }));
      const members = [user("alice"), user("bob")].map((userId) => ({ userId, readSeq: 7 }));
      await store.writeBatch(batchOf(app, { members, reads: [{ userId: user("bob"), seq: 3 }] }));
      expect(await store.findMember(app, room("general"), user("alice"))).toMatchObject({ role: "owner", readSeq: 0 });
      expect(await store.findMember(app, room("general"), user("bob"))).toMatchObject({ readSeq: 3 });
    });
  });
}
