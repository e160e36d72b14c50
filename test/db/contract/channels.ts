import { describe, expect, it } from "vitest";
import { batchOf, channelOf, eventsOf, newApp, type Opened, room, user } from "./opened-store.ts";

export function describeChannels(opened: Opened): void {
  describe("creating a channel", () => {
    it("returns it as it was asked for, and makes its creator the owner", async () => {
      const { store } = opened();
      const app = newApp();
      const custom = { topic: "cats", tags: ["a", "b"], count: 3.5 };
      const wanted = channelOf(app, { type: "team", members: [user("bob"), user("alice"), user("bob")], custom });
      const { channel, created } = await store.createChannel(wanted);
      expect(created).toBe(true);
      expect(channel).toEqual({
        app,
        id: "general",
        type: "team",
        name: "General",
        createdBy: "alice",
        custom,
        createdAt: expect.any(Date),
        epoch: null,
        headSeq: 0,
      });
      expect(Math.abs(channel.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
      expect(await store.findChannel(app, room("general"))).toEqual(channel);
      const owner = { userId: "alice", role: "owner", readSeq: 0 };
      expect(await store.findMember(app, room("general"), user("alice"))).toEqual(owner);
      expect(await store.findMember(app, room("general"), user("bob"))).toMatchObject({ role: "member" });
      expect(await store.listMembers(app, room("general"), 10)).toEqual({ count: 2, userIds: ["alice", "bob"] });
    });

    it("has no owner when an app's server creates it", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app, { createdBy: `app:${app}`, members: [user("bob")] }));
      expect(await store.listMembers(app, room("general"), 10)).toEqual({ count: 1, userIds: ["bob"] });
      expect(await store.findMember(app, room("general"), user("bob"))).toMatchObject({ role: "member" });
    });

    it("A02 leaves the channel that has the id already, with its owner and members, as it is", async () => {
      const { store } = opened();
      const app = newApp();
      const { channel } = await store.createChannel(channelOf(app));
      const thief = channelOf(app, { createdBy: "mallory", name: "Mine", type: "private", members: [user("eve")] });
      expect(await store.createChannel(thief)).toEqual({ channel, created: false });
      expect(await store.listMembers(app, room("general"), 10)).toEqual({ count: 1, userIds: ["alice"] });
    });

    it("A14 gives 50 parallel creates of one id one row and one creator", async () => {
      const { store, countRows } = opened();
      const app = newApp();
      const before = await countRows?.();
      const creates = Array.from({ length: 50 }, (_, index) =>
        store.createChannel(channelOf(app, { createdBy: `user-${index}`, name: `Name ${index}` })),
      );
      const answers = await Promise.all(creates);
      const winners = answers.filter(({ created }) => created);
      expect(winners).toHaveLength(1);
      expect(new Set(answers.map(({ channel }) => channel.name))).toEqual(new Set([winners[0]?.channel.name]));
      expect(await store.listMembers(app, room("general"), 10)).toEqual({
        count: 1,
        userIds: [winners[0]?.channel.createdBy],
      });
      expect((await countRows?.())?.["channels"]).toBe(before && (before["channels"] ?? 0) + 1);
    });

    it("T03 keeps channels of the same id in two apps apart", async () => {
      const { store } = opened();
      const [one, two] = [newApp(), newApp()];
      await store.createChannel(channelOf(one));
      expect(await store.findChannel(two, room("general"))).toBeUndefined();
      expect(await store.findMember(two, room("general"), user("alice"))).toBeUndefined();
      expect(await store.listMembers(two, room("general"), 10)).toEqual({ count: 0, userIds: [] });
      expect(await store.listChannels(two, user("alice"), { limit: 10 })).toEqual([]);
      expect(await store.createChannel(channelOf(two, { createdBy: "bob" }))).toMatchObject({ created: true });
      expect(await store.findChannel(one, room("general"))).toMatchObject({ createdBy: "alice" });
    });
  });

  describe("listing", () => {
    it("pages through a user's channels by id, in byte order", async () => {
      const { store } = opened();
      const app = newApp();
      for (const id of ["b", "B", "a_1", "a-1", "Z", "0"]) await store.createChannel(channelOf(app, { id: room(id) }));
      await store.createChannel(channelOf(app, { id: room("not-mine"), createdBy: "bob" }));
      const idsAfter = async (after?: string) =>
        (
          await store.listChannels(app, user("alice"), { after: after === undefined ? after : room(after), limit: 4 })
        ).map(({ channel }) => channel.id);
      expect(await idsAfter()).toEqual(["0", "B", "Z", "a-1"]);
      expect(await idsAfter("a-1")).toEqual(["a_1", "b"]);
      expect(await idsAfter("b")).toEqual([]);
    });

    it("lists at most the wanted number of members, in byte order, with the whole count", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app, { members: ["zoe", "bob", "Carl"].map(user) }));
      expect(await store.listMembers(app, room("general"), 2)).toEqual({ count: 4, userIds: ["Carl", "alice"] });
    });

    it("counts what a user has not read, over all channels", async () => {
      const { store } = opened();
      const app = newApp();
      for (const id of ["general", "quiet"]) await store.createChannel(channelOf(app, { id: room(id) }));
      await store.writeBatch(batchOf(app, { events: eventsOf(1, 7), reads: [{ userId: user("alice"), seq: 5 }] }));
      await store.writeBatch(batchOf(app, { channelId: room("quiet"), events: eventsOf(1, 3) }));
      expect(await store.countChannels(app, user("alice"))).toEqual({ channels: 2, unread: 5 });
      expect(await store.countChannels(app, user("nobody"))).toEqual({ channels: 0, unread: 0 });
      expect(await store.listChannels(app, user("alice"), { limit: 10 })).toMatchObject([
        { channel: { id: "general", headSeq: 7, epoch: "epoch-1" }, member: { role: "owner", readSeq: 5 } },
        { channel: { id: "quiet", headSeq: 3 }, member: { readSeq: 0 } },
      ]);
    });
  });
}
