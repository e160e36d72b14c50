import { describe, expect, it } from "vitest";
import type { BanRecord } from "../../../domain/ports/bans.ts";
import { batchOf, channelOf, entryOf, eventsOf, newApp, type Opened, room, user } from "./opened-store.ts";

const AT = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
const HOUR = 3_600_000;
const banOf = (id: string, change: Partial<BanRecord> = {}): BanRecord => ({
  userId: user(id),
  kind: "ban",
  until: null,
  reason: null,
  createdBy: "alice",
  createdAt: AT,
  ...change,
});
const appBan = (until: Date | null) => ({ until, reason: "spam", createdBy: "key:k1", createdAt: AT });

export function describePeople(opened: Opened): void {
  const actions = async (app: ReturnType<typeof newApp>) =>
    (await opened().store.listAudit(app, { limit: 20 })).map(({ entry }) => entry.action).toReversed();

  describe("a user's restriction", () => {
    const bob = user("bob");

    it("is none for who was never restricted", async () => {
      expect(await opened().store.findRestriction(newApp(), bob)).toEqual({ revokedBefore: 0, ban: null });
    });

    it("J24 is kept and read back, with its line in the audit log", async () => {
      const { store } = opened();
      const app = newApp();
      const before = AT.getTime();
      const entry = entryOf({ action: "user.revoke" });
      const { restriction: revoked } = await store.restrictUser(app, bob, { revokedBefore: before }, entry);
      expect(revoked).toEqual({ revokedBefore: before, ban: null });
      expect(await store.findRestriction(app, bob)).toEqual(revoked);
      expect(await store.findRestriction(newApp(), bob)).toEqual({ revokedBefore: 0, ban: null });
      expect(await actions(app)).toEqual(["user.revoke"]);
    });

    it("never goes back, and an entry given again is there once", async () => {
      const { store } = opened();
      const app = newApp();
      const entry = entryOf({ action: "user.revoke" });
      await store.restrictUser(app, bob, { revokedBefore: AT.getTime() }, entry);
      const { restriction } = await store.restrictUser(app, bob, { revokedBefore: AT.getTime() - 30_000 }, entry);
      expect(restriction.revokedBefore).toBe(AT.getTime());
      expect(await actions(app)).toEqual(["user.revoke"]);
    });

    it("D16 is put right by the next one when a clock ran ahead", async () => {
      const { store } = opened();
      const app = newApp();
      await store.restrictUser(app, bob, { revokedBefore: AT.getTime() + 24 * HOUR }, entryOf());
      const { restriction } = await store.restrictUser(app, bob, { revokedBefore: AT.getTime() }, entryOf());
      expect(restriction.revokedBefore).toBe(AT.getTime());
    });

    it("A09 bans with an end or without, and lifts; what was revoked stays revoked", async () => {
      const { store } = opened();
      const app = newApp();
      const until = new Date(AT.getTime() + HOUR);
      const change = { revokedBefore: AT.getTime(), ban: appBan(null) };
      const { restriction: banned } = await store.restrictUser(app, bob, change, entryOf({ action: "user.ban" }));
      expect(banned).toEqual({ revokedBefore: AT.getTime(), ban: { until: null } });
      const limited = { ban: appBan(until) };
      const { restriction: ended } = await store.restrictUser(app, bob, limited, entryOf({ action: "user.ban" }));
      expect(ended).toEqual({ revokedBefore: AT.getTime(), ban: { until: until.getTime() } });
      const later = { revokedBefore: AT.getTime() + 1_000 };
      const { restriction: revoked } = await store.restrictUser(app, bob, later, entryOf());
      expect(revoked.ban).toEqual({ until: until.getTime() });
      await store.restrictUser(app, bob, { ban: null }, entryOf({ action: "user.unban" }));
      expect(await store.findRestriction(app, bob)).toEqual({ revokedBefore: AT.getTime() + 1_000, ban: null });
    });
  });

  describe("a channel's bans", () => {
    it("are listed in pages by user id, without those that have ended", async () => {
      const { store } = opened();
      const app = newApp();
      const later = new Date(Date.now() + HOUR);
      const bans = [
        banOf("bob", { reason: "spam" }),
        banOf("Carol", { kind: "mute", until: later }),
        banOf("dave", { until: new Date(Date.now() - 1_000) }),
        banOf("erin|auth0"),
      ];
      for (const ban of bans)
        await store.setBan(app, room("general"), ban, entryOf({ action: "ban.set", subject: ban.userId }));
      expect(await store.listBans(app, room("general"), { limit: 2 })).toEqual([bans[1], bans[0]]);
      expect(await store.listBans(app, room("general"), { after: user("bob"), limit: 2 })).toEqual([bans[3]]);
      expect(await store.listBans(app, room("other"), { limit: 2 })).toEqual([]);
      expect(await store.listBans(newApp(), room("general"), { limit: 2 })).toEqual([]);
      expect(await actions(app)).toEqual(Array.from({ length: 4 }, () => "ban.set"));
    });

    it("one takes the place of another and is lifted once", async () => {
      const { store } = opened();
      const app = newApp();
      await store.setBan(app, room("general"), banOf("bob"), entryOf());
      const mute = banOf("bob", { kind: "mute", createdBy: "key:k1" });
      await store.setBan(app, room("general"), mute, entryOf());
      expect(await store.listBans(app, room("general"), { limit: 9 })).toEqual([mute]);
      const lifting = () => entryOf({ action: "ban.lift", subject: "bob" });
      const lift = () => store.liftBan(app, room("general"), user("bob"), lifting());
      expect(await lift()).toMatchObject({ lifted: true });
      expect(await lift()).toMatchObject({ lifted: false });
      expect((await actions(app)).filter((action) => action === "ban.lift")).toHaveLength(1);
      expect(await store.listBans(app, room("general"), { limit: 9 })).toEqual([]);
    });

    it("A09 are changed one after the other: what was decided last is what is there", async () => {
      const { store } = opened();
      const app = newApp();
      const change = (n: number) => {
        const entry = entryOf({ subject: "bob" });
        if (n % 2 === 0) return store.liftBan(app, room("general"), user("bob"), entry);
        return store.setBan(app, room("general"), banOf("bob", { reason: `${n}` }), entry);
      };
      for (let round = 0; round < 5; round++) {
        const decided = await Promise.all([1, 2, 3, 4, 5, 6].map(async (n) => ({ n, ...(await change(n)) })));
        const last = decided.toSorted((one, other) => one.decidedAt - other.decidedAt).at(-1);
        const there = await store.listBans(app, room("general"), { limit: 9 });
        expect(there.map(({ reason }) => reason)).toEqual(last !== undefined && last.n % 2 === 1 ? [`${last.n}`] : []);
      }
    });

    it("A09 suspend membership, and mutes do not", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app, { members: [user("bob"), user("carol")] }));
      await store.setBan(app, room("general"), banOf("bob"), entryOf());
      await store.setBan(app, room("general"), banOf("carol", { kind: "mute" }), entryOf());
      expect(await store.findMember(app, room("general"), user("bob"))).toBeUndefined();
      expect(await store.findMember(app, room("general"), user("carol"))).toMatchObject({ userId: "carol" });
      expect(await store.listChannels(app, user("bob"), { limit: 9 })).toEqual([]);
      expect(await store.countChannels(app, user("bob"))).toEqual({ channels: 0, unread: 0 });
      await store.liftBan(app, room("general"), user("bob"), entryOf());
      expect(await store.findMember(app, room("general"), user("bob"))).toMatchObject({ role: "member" });
    });

    it("D16 end by themselves", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app, { members: [user("bob")] }));
      await store.setBan(app, room("general"), banOf("bob", { until: new Date(Date.now() - 1) }), entryOf());
      expect(await store.findMember(app, room("general"), user("bob"))).toMatchObject({ userId: "bob" });
    });
  });

  describe("a channel's members", () => {
    it("A10 are added where the channel ends, once, and those there stay as they are", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app));
      await store.writeBatch(batchOf(app, { events: eventsOf(1, 3) }));
      const add = (...ids: string[]) =>
        store.addMembers(
          app,
          room("general"),
          ids.map(user),
          ids.map((subject) => entryOf({ action: "member.add", subject })),
        );
      await add("bob", "alice");
      await add("bob", "carol");
      expect(await store.findMember(app, room("general"), user("bob"))).toMatchObject({ role: "member", readSeq: 3 });
      expect(await store.findMember(app, room("general"), user("alice"))).toMatchObject({ role: "owner", readSeq: 0 });
      expect(await store.listMembers(app, room("general"), 9)).toMatchObject({ count: 3 });
    });

    it("S4-27 have a line in the audit log for each who was added or removed, and none for who was not", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app, { members: [user("bob")] }));
      const entry = (action: "member.add" | "member.remove", subject: string) => entryOf({ action, subject });
      const add = ["carol", "bob", "alice", "dave"];
      const added = add.map((subject) => entry("member.add", subject));
      await store.addMembers(app, room("general"), add.map(user), added);
      await store.addMembers(app, room("general"), [user("bob")], [entry("member.add", "bob")]);
      const removed = entry("member.remove", "bob");
      await store.removeMember(app, room("general"), user("bob"), removed);
      await store.removeMember(app, room("general"), user("bob"), entry("member.remove", "bob"));
      await store.removeMember(newApp(), room("general"), user("alice"), entry("member.remove", "alice"));
      const [, , ...noted] = (await store.listAudit(app, { limit: 20 })).map((found) => found.entry).toReversed();
      expect(noted).toEqual([added[0], added[3], removed]);
    });

    it("A10 are removed once", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app, { members: [user("bob")] }));
      const remove = () => store.removeMember(app, room("general"), user("bob"), entryOf({ action: "member.remove" }));
      expect(await remove()).toBe(true);
      expect(await remove()).toBe(false);
      expect(await store.findMember(app, room("general"), user("bob"))).toBeUndefined();
    });
  });
}
