import { describe, expect, it } from "vitest";
import type { AppId, ClientMessageId } from "../../../protocol/ids.ts";
import {
  batchOf,
  channelOf,
  entryOf,
  eventOf,
  eventsOf,
  newApp,
  newcomer,
  type Opened,
  room,
  user,
} from "./opened-store.ts";

/** What the store notes in the audit log by itself, in the transaction that does it. */
export function describeAuditedActions(opened: Opened): void {
  const entries = async (app: AppId, limit = 1_000) =>
    (await opened().store.listAudit(app, { limit })).map(({ entry }) => entry).toReversed();
  const ofMessages = async (app: AppId) => (await entries(app)).filter(({ action }) => action.startsWith("message."));

  describe("what is in the audit log of its own accord", () => {
    it("S4-27 is each message, once, by its id and without a word of it", async () => {
      const { store } = opened();
      const app = newApp();
      const events = [eventOf(1), eventOf(2, { clientMessageId: null, userId: user("bob") })];
      await store.writeBatch(batchOf(app, { events }));
      await store.writeBatch(batchOf(app, { events: [...events, eventOf(3)] }));
      const noted = await ofMessages(app);
      expect(noted[0]).toEqual({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        at: eventOf(1).at,
        action: "message.send",
        actor: "alice",
        channelId: "general",
        subject: "message-1",
        requestId: "client-1",
        detail: null,
      });
      expect(noted.map(({ actor, subject, requestId }) => [actor, subject, requestId])).toEqual([
        ["alice", "message-1", "client-1"],
        ["bob", "message-2", null],
        ["alice", "message-3", "client-3"],
      ]);
      expect(JSON.stringify(await entries(app))).not.toContain("Hello");
    });

    it("S0-28 is what the filter did to a message, which history remembers too", async () => {
      const { store } = opened();
      const app = newApp();
      const masked = eventOf(1, { content: "what the ****", moderation: "masked", sentHash: 2 ** 53 - 1 });
      const flagged = eventOf(2, { moderation: "flagged" });
      await store.writeBatch(batchOf(app, { events: [masked, flagged, eventOf(3)] }));
      expect((await ofMessages(app)).map(({ action, subject }) => [action, subject])).toEqual([
        ["message.send", "message-1"],
        ["message.mask", "message-1"],
        ["message.send", "message-2"],
        ["message.flag", "message-2"],
        ["message.send", "message-3"],
      ]);
      expect(await store.listEvents(app, room("general"), { limit: 10 })).toEqual([masked, flagged, eventOf(3)]);
    });

    it("D03 is doubled by nothing that is written at the same time", async () => {
      const { store } = opened();
      const app = newApp();
      const audit = [entryOf({ action: "member.join" })];
      await Promise.all(
        [1, 3, 2, 1].map((from) => store.writeBatch(batchOf(app, { events: eventsOf(from, 30), audit }))),
      );
      expect(new Set((await ofMessages(app)).map(({ subject }) => subject)).size).toBe(30);
      expect(await entries(app)).toHaveLength(31);
    });

    it("D05 has no message that history cannot take, and all that it can", async () => {
      const { store } = opened();
      const app = newApp();
      await store.writeBatch(batchOf(app, { events: [eventOf(1)] }));
      const taken = eventOf(2, { clientMessageId: "client-1" as ClientMessageId });
      const events = [taken, eventOf(3, { content: "nul \u0000" }), eventOf(4), eventOf(5)];
      const audit = [entryOf({ action: "request.refuse", actor: "bob" })];
      await expect(store.writeBatch(batchOf(app, { events, members: [newcomer("bob")], audit }))).rejects.toMatchObject(
        { refused: expect.arrayContaining([expect.objectContaining({ seq: 3 })]) },
      );
      expect((await ofMessages(app)).map(({ subject }) => subject)).toEqual(["message-1", "message-4", "message-5"]);
      expect((await entries(app)).filter(({ action }) => action === "request.refuse")).toEqual(audit);
      expect((await entries(app)).filter(({ action }) => action === "member.join")).toHaveLength(1);
    });

    it("S4-27 is who joined, once, before what they wrote; who was a member already has not joined", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app));
      const joined = { at: eventOf(1).at - 7, requestId: "connection-1" };
      const members = [{ ...newcomer("bob"), joined }, newcomer("carol"), { ...newcomer("alice"), joined }];
      for (let time = 0; time < 2; time++) await store.writeBatch(batchOf(app, { members, events: [eventOf(1)] }));
      const about = { channelId: "general", detail: null };
      expect((await entries(app)).slice(1)).toMatchObject([
        { ...about, ...joined, action: "member.join", actor: "bob", subject: "bob" },
        { ...about, requestId: null, action: "member.join", actor: "carol", subject: "carol" },
        { action: "message.send" },
      ]);
    });

    it("S4-27 is a channel's creation, by whom and for which request, and whom it was made for", async () => {
      const { store } = opened();
      const app = newApp();
      const asked = { actor: "key:abc", requestId: "request-7" };
      const wanted = channelOf(app, { createdBy: `app:${app}`, members: [user("bob"), user("alice")], asked });
      const before = Date.now();
      await store.createChannel(wanted);
      await store.createChannel(wanted);
      const noted = await entries(app);
      expect(noted).toMatchObject([
        { action: "channel.create", ...asked, channelId: "general", subject: "general", detail: "messaging" },
        { action: "member.add", ...asked, channelId: "general", subject: "alice", detail: null },
        { action: "member.add", ...asked, channelId: "general", subject: "bob" },
      ]);
      expect(Math.abs((noted[0]?.at ?? 0) - before)).toBeLessThan(60_000);
    });

    it("S4-27 names its creator where nobody else is named, and no creation that did not happen", async () => {
      const app = newApp();
      await opened().store.createChannel(channelOf(app));
      await opened().store.createChannel(channelOf(app, { createdBy: "mallory", members: [user("eve")] }));
      expect(await entries(app)).toMatchObject([{ action: "channel.create", actor: "alice", requestId: null }]);
    });
  });

  describe("the audit log of an app's keys", () => {
    it("S4-27 has a key's making and its end, once each", async () => {
      const { store } = opened();
      const app = newApp();
      const [createdAt, revokedAt] = [new Date("2026-01-02T03:04:05.678Z"), new Date("2026-02-02T03:04:05.678Z")];
      const key = { id: crypto.randomUUID(), app, environment: "test" as const, hash: "canary", createdAt };
      await store.insertApiKey({ ...key, revokedAt: null });
      await expect(store.insertApiKey({ ...key, revokedAt: null })).rejects.toMatchObject({
        code: "storage_unavailable",
      });
      for (let time = 0; time < 2; time++) await store.revokeApiKey(key.id, revokedAt);
      const about = { actor: "system", subject: key.id, channelId: null, requestId: null, detail: "test" };
      expect(await entries(app)).toMatchObject([
        { ...about, action: "key.create", at: createdAt.getTime() },
        { ...about, action: "key.revoke", at: revokedAt.getTime() },
      ]);
      expect(JSON.stringify(await entries(app))).not.toContain("canary");
    });
  });

  describe("the lists of a content filter", () => {
    it("are found for the app and for the channel, each as it was saved last", async () => {
      const { store } = opened();
      const app = newApp();
      const whole = { mode: "flag" as const, blocked: ["'; drop", "zwölf"], allowed: [] };
      const general = { mode: "mask" as const, blocked: [], allowed: ["ok"] };
      expect(await store.findModeration(app, room("general"))).toEqual({ app: null, channel: null });
      await store.saveModeration(app, null, { ...whole, blocked: ["old"] }, entryOf());
      await store.saveModeration(app, null, whole, entryOf());
      await store.saveModeration(app, room("general"), general, entryOf());
      expect(await store.findModeration(app, room("general"))).toEqual({ app: whole, channel: general });
      expect(await store.findModeration(app, room("other"))).toEqual({ app: whole, channel: null });
      expect(await store.findModeration(newApp(), room("general"))).toEqual({ app: null, channel: null });
    });

    it("S4-27 leave an entry in the audit log whenever they change", async () => {
      const app = newApp();
      const entry = entryOf({ action: "moderation.change", detail: "mask" });
      await opened().store.saveModeration(app, room("general"), { mode: "mask", blocked: [], allowed: [] }, entry);
      expect(await entries(app)).toEqual([entry]);
    });
  });
}
