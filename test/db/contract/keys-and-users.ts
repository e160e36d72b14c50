import { describe, expect, it } from "vitest";
import type { ApiKeyRecord } from "../../../domain/ports/api-keys.ts";
import { newApp, type Opened, user } from "./opened-store.ts";

export function describeKeys(opened: Opened): void {
  const keyOf = (change: Partial<ApiKeyRecord> = {}): ApiKeyRecord => ({
    id: crypto.randomUUID(),
    app: newApp(),
    environment: "live",
    hash: "a".repeat(64),
    createdAt: new Date("2026-01-02T03:04:05.678Z"),
    revokedAt: null,
    ...change,
  });

  describe("API keys", () => {
    it("finds a key by its id, and nothing for another id", async () => {
      const { store } = opened();
      const key = keyOf();
      await store.insertApiKey(key);
      expect(await store.findApiKey(key.id)).toEqual(key);
      expect(await store.findApiKey("no-such-key")).toBeUndefined();
    });

    it("refuses a second key of the same id", async () => {
      const { store } = opened();
      const key = keyOf();
      await store.insertApiKey(key);
      await expect(store.insertApiKey({ ...key, hash: "b".repeat(64) })).rejects.toMatchObject({
        code: "storage_unavailable",
      });
      expect(await store.findApiKey(key.id)).toEqual(key);
    });

    it("lists an app's keys, oldest first, revoked ones too", async () => {
      const { store } = opened();
      const newer = keyOf({ createdAt: new Date("2026-02-01T00:00:00Z"), environment: "test" });
      const older = keyOf({ app: newer.app, revokedAt: new Date("2026-03-01T00:00:00Z") });
      const foreign = keyOf();
      for (const key of [newer, older, foreign]) await store.insertApiKey(key);
      expect(await store.listApiKeys(newer.app)).toEqual([older, newer]);
      expect(await store.listApiKeys()).toEqual(expect.arrayContaining([older, newer, foreign]));
    });

    it("revokes a key once", async () => {
      const { store } = opened();
      const key = keyOf();
      const at = new Date("2026-04-01T10:00:00.001Z");
      await store.insertApiKey(key);
      expect(await store.revokeApiKey(key.id, at)).toBe(true);
      expect(await store.revokeApiKey(key.id, new Date())).toBe(false);
      expect(await store.revokeApiKey("no-such-key", at)).toBe(false);
      expect(await store.findApiKey(key.id)).toEqual({ ...key, revokedAt: at });
    });
  });
}

export function describeUsers(opened: Opened): void {
  describe("users", () => {
    it("creates a user, named by the id when no name is given", async () => {
      expect(await opened().store.upsertUser(newApp(), { id: user("alice") })).toEqual({
        id: "alice",
        name: "alice",
        image: null,
        custom: {},
      });
    });

    it("changes only the given fields of the user there is", async () => {
      const { store } = opened();
      const app = newApp();
      const custom = { team: "blue", levels: [1, { deep: null }] };
      await store.upsertUser(app, { id: user("alice"), name: "Alice", custom });
      await store.upsertUser(app, { id: user("alice"), image: "https://example.com/a.png" });
      expect(await store.upsertUser(app, { id: user("alice"), name: "Alice B." })).toEqual({
        id: "alice",
        name: "Alice B.",
        image: "https://example.com/a.png",
        custom,
      });
    });

    it("makes one user of 20 upserts at once", async () => {
      const { store, countRows } = opened();
      const app = newApp();
      const before = await countRows?.();
      const upserts = Array.from({ length: 20 }, () => store.upsertUser(app, { id: user("alice"), name: "Alice" }));
      expect(new Set((await Promise.all(upserts)).map(({ name }) => name))).toEqual(new Set(["Alice"]));
      expect((await countRows?.())?.["users"]).toBe(before && (before["users"] ?? 0) + 1);
    });

    it("T03 keeps users of the same id in two apps apart", async () => {
      const { store } = opened();
      const [one, two] = [newApp(), newApp()];
      await store.upsertUser(one, { id: user("alice"), name: "Alice One" });
      expect(await store.upsertUser(two, { id: user("alice") })).toMatchObject({ name: "alice" });
      expect(await store.upsertUser(one, { id: user("alice") })).toMatchObject({ name: "Alice One" });
    });
  });
}
