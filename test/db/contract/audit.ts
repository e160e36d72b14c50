import { describe, expect, it } from "vitest";
import type { AppId } from "../../../protocol/ids.ts";
import { entryOf, newApp, type Opened, room } from "./opened-store.ts";

export function describeAudit(opened: Opened): void {
  describe("the audit log", () => {
    const list = async (app: AppId, page: { before?: number; channelId?: string; limit?: number } = {}) => {
      const channelId = page.channelId === undefined ? undefined : room(page.channelId);
      return await opened().store.listAudit(app, { limit: 10, ...page, channelId });
    };

    it("returns an entry exactly as it was written", async () => {
      const app = newApp();
      const full = entryOf({ action: "message.refuse", detail: "content_too_long", actor: "zoe|auth0" });
      const bare = entryOf({ action: "key.create", channelId: null, subject: null, requestId: null, actor: "system" });
      await opened().store.writeAudit(app, [full, bare]);
      expect((await list(app)).map(({ entry }) => entry)).toEqual([bare, full]);
    });

    it("O08 keeps what is there when an entry is written again, changed or not", async () => {
      const app = newApp();
      const [first, second] = [entryOf(), entryOf({ subject: "second" })];
      await opened().store.writeAudit(app, [first]);
      await opened().store.writeAudit(app, [{ ...first, actor: "mallory", detail: "changed" }, second]);
      await opened().store.writeAudit(app, [second, first]);
      expect((await list(app)).map(({ entry }) => entry)).toEqual([second, first]);
    });

    it("pages backwards from the newest by place, of an app or of one channel", async () => {
      const app = newApp();
      const entries = Array.from({ length: 7 }, (_, index) =>
        entryOf({ subject: `s-${index}`, channelId: room(index % 2 === 0 ? "even" : "odd") }),
      );
      await opened().store.writeAudit(app, entries.slice(0, 4));
      await opened().store.writeAudit(app, entries.slice(4));
      const subjects = (found: Awaited<ReturnType<typeof list>>) => found.map(({ entry }) => entry.subject);
      const page = await list(app, { limit: 3 });
      expect(subjects(page)).toEqual(["s-6", "s-5", "s-4"]);
      const before = page.at(-1)!.place;
      expect(subjects(await list(app, { limit: 3, before }))).toEqual(["s-3", "s-2", "s-1"]);
      expect(subjects(await list(app, { channelId: "odd", before }))).toEqual(["s-3", "s-1"]);
      expect(await list(app, { channelId: "nowhere" })).toEqual([]);
    });

    it("T03 keeps two apps apart, also when they use one id", async () => {
      const [one, two] = [newApp(), newApp()];
      const entry = entryOf();
      await opened().store.writeAudit(one, [entry]);
      expect(await list(two)).toEqual([]);
      await opened().store.writeAudit(two, [{ ...entry, actor: "bob" }]);
      expect((await list(one)).map(({ entry: { actor } }) => actor)).toEqual(["alice"]);
      expect((await list(two)).map(({ entry: { actor } }) => actor)).toEqual(["bob"]);
    });

    it("is written once by 20 writers at once, and takes no entries as well", async () => {
      const app = newApp();
      const entries = [entryOf(), entryOf()];
      await Promise.all(Array.from({ length: 20 }, () => opened().store.writeAudit(app, entries)));
      await opened().store.writeAudit(app, []);
      expect(await list(app)).toHaveLength(2);
    });
  });
}
