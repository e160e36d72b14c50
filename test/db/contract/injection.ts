import { describe, expect, it } from "vitest";
import type { AppId, ClientMessageId } from "../../../protocol/ids.ts";
import { batchOf, channelOf, entryOf, eventOf, newApp, type Opened, room, user } from "./opened-store.ts";

const BREAKOUTS = ["'", '"', "''", "\\'", "`", "')", "\"}'", "$$", "E'\\''", "$1", "%27", "';"];
const PAYLOADS = [
  " or 1=1",
  " or 'a'='a",
  "; drop table events",
  "; delete from channels",
  "; update members set role='owner'",
  " union select null,null,null",
  " and 1=cast((select version()) as int)",
  "||pg_sleep(0)||",
];
const ENDINGS = ["--", "/*", ";", ""];
const ODD = [
  "NULL",
  "\\N",
  "{1,2}",
  "{}",
  '{"a":1}',
  "[]",
  "null",
  "%",
  "_",
  "\\",
  "\\\\",
  "$tag$x$tag$",
  "\r\n",
  "ünï'👋",
];
/** What breaks out of quotes, arrays, JSON and placeholders, and statements to run once it has. */
const STRINGS = [
  ...BREAKOUTS.flatMap((start) => PAYLOADS.flatMap((middle) => ENDINGS.map((end) => `${start}${middle}${end}`))),
  ...BREAKOUTS,
  ...ODD,
];

/** Ids are checked long before they come here; the store must be safe without that. */
export function describeInjection(opened: Opened): void {
  describe("M04 SQL in every string", () => {
    it(`M04 round-trips ${STRINGS.length} strings in every field of an event`, async () => {
      const { store, countRows } = opened();
      const app = newApp();
      const before = await countRows?.();
      const events = STRINGS.map((text, index) =>
        eventOf(index + 1, {
          epoch: text,
          id: text,
          userId: user(text),
          username: text,
          clientMessageId: text as ClientMessageId,
          content: text,
        }),
      );
      const channelId = room("x'; drop table events; --");
      const people = STRINGS.map(user);
      await store.writeBatch({
        app,
        channelId,
        events,
        members: people.map((userId) => ({ userId, readSeq: 0 })),
        reads: people.map((userId) => ({ userId, seq: 1 })),
      });
      expect(await store.listEvents(app, channelId, { limit: STRINGS.length })).toEqual(events);
      expect(await store.listMembers(app, channelId, STRINGS.length)).toMatchObject({
        count: STRINGS.length,
        userIds: expect.arrayContaining(people),
      });
      const after = await countRows?.();
      expect(after).toEqual(
        before && {
          ...before,
          events: (before["events"] ?? 0) + STRINGS.length,
          // Of each message, and of each member.
          audit_log: (before["audit_log"] ?? 0) + 2 * STRINGS.length,
          members: (before["members"] ?? 0) + STRINGS.length,
        },
      );
    });

    it("M04 round-trips them in every field of channels, users and keys, and touches no other row", async () => {
      const { store, countRows } = opened();
      const before = await countRows?.();
      const some = STRINGS.filter((_, index) => index % 5 === 0);
      for (const text of some) {
        const app = `${newApp()}${text}` as AppId;
        const custom = { [text]: [text, { [text]: null }] };
        const owner = `u${text.replaceAll(":", ";")}`; // what has a colon is a server and no member
        const wanted = channelOf(app, {
          id: room(text),
          name: text,
          createdBy: owner,
          members: [user(text)],
          custom,
        });
        const { channel } = await store.createChannel(wanted);
        expect(channel).toMatchObject({ app, id: text, name: text, createdBy: owner, custom });
        expect(await store.findChannel(app, room(text))).toEqual(channel);
        expect(await store.findMember(app, room(text), user(text))).toMatchObject({ userId: text });
        expect(await store.listChannels(app, user(text), { after: room(""), limit: 5 })).toHaveLength(1);
        expect(await store.listChannels(app, user(text), { after: room(text), limit: 5 })).toEqual([]);
        expect(await store.countChannels(app, user(text))).toEqual({ channels: 1, unread: 0 });
        const person = { id: user(text), name: text, image: text, custom };
        expect(await store.upsertUser(app, person)).toEqual(person);
        const [createdAt, revokedAt] = [new Date("2026-01-01T00:00:00Z"), null];
        const key = { id: String(app), app, environment: "test" as const, hash: text, createdAt, revokedAt };
        await store.insertApiKey(key);
        expect(await store.listApiKeys(app)).toEqual([key]);
        expect(await store.revokeApiKey(text, createdAt)).toBe(false);
        const lists = { mode: "mask" as const, blocked: [text], allowed: [text, text] };
        const strings = { actor: text, subject: text, requestId: text, detail: text, channelId: room(text) };
        const entry = entryOf({ ...strings, action: text as "key.create" });
        await store.saveModeration(app, room(text), lists, entry);
        expect(await store.findModeration(app, room(text))).toEqual({ app: null, channel: lists });
        expect((await store.listAudit(app, { channelId: room(text), limit: 1 }))[0]?.entry).toEqual(entry);
      }
      expect(await countRows?.()).toEqual(
        before && {
          ...before,
          channels: (before["channels"] ?? 0) + some.length,
          members: (before["members"] ?? 0) + 2 * some.length,
          users: (before["users"] ?? 0) + some.length,
          api_keys: (before["api_keys"] ?? 0) + some.length,
          moderation: (before["moderation"] ?? 0) + some.length,
          // Of each channel: that it was made, for whom, and its lists; and of each key.
          audit_log: (before["audit_log"] ?? 0) + 4 * some.length,
        },
      );
    });

    it("M04 finds nothing with them where there is nothing", async () => {
      const { store } = opened();
      const app = newApp();
      await store.createChannel(channelOf(app));
      await store.writeBatch(batchOf(app, { events: [eventOf(1)] }));
      for (const text of STRINGS.filter((_, index) => index % 9 === 0)) {
        expect(await store.findChannel(app, room(text))).toBeUndefined();
        expect(await store.findMember(app, room("general"), user(text))).toBeUndefined();
        expect(await store.findApiKey(text)).toBeUndefined();
        expect(await store.listEvents(app, room(text), { limit: 5 })).toEqual([]);
      }
    });
  });
}
