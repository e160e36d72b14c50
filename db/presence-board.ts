import type { Redis } from "@upstash/redis/cloudflare";
import * as z from "zod/mini";
import type { Now, PresenceBoard } from "../domain/ports.ts";
import type { AppId, UserId } from "../protocol/ids.ts";
import { orUnavailable } from "./upstash.ts";

/** How long a report counts, in milliseconds: a room that says nothing more is taken to be gone. */
const REPORT_MS = 150_000;
/** How long it is known when somebody was last seen. */
const SEEN_SECONDS = 90 * 24 * 60 * 60;
/** Users in one request. */
const CHUNK = 250;

const SEEN = "seen";
const ROOM = "in:";

/**
 * One hash per user: `in:<channel>` is until when that room's report counts, `seen` when anyone saw the user last. Both in
 * milliseconds since 1970.
 */
export function createPresenceBoard(redis: Redis, now: Now = Date.now): PresenceBoard {
  return {
    async findUserPresence(app, userId) {
      const fields = await orUnavailable(readFields(redis, keyOf(app, userId)));
      const seen = fields.get(SEEN);
      const isOnline = [...fields].some(([field, until]) => field.startsWith(ROOM) && until > now());
      return { online: isOnline, lastSeenAt: seen === undefined ? null : new Date(seen) };
    },
    async reportPresence(app, channelId, { online, offline, at }) {
      const room = `${ROOM}${channelId}`;
      const seen = at.getTime();
      const people = [
        ...online.map((userId) => ({ key: keyOf(app, userId), until: seen + REPORT_MS })),
        ...offline.map((userId) => ({ key: keyOf(app, userId), until: undefined })),
      ];
      for (let start = 0; start < people.length; start += CHUNK) {
        const pipeline = redis.pipeline();
        for (const { key, until } of people.slice(start, start + CHUNK)) {
          if (until === undefined) pipeline.hdel(key, room);
          pipeline.hset(key, until === undefined ? { [SEEN]: seen } : { [SEEN]: seen, [room]: until });
          pipeline.expire(key, SEEN_SECONDS);
        }
        await orUnavailable(pipeline.exec());
      }
    },
  };
}

/** Redis answers a hash as one list: field, value, field, value. */
const Fields = z.array(z.string());
const Milliseconds = z.coerce.number().check(z.int());

async function readFields(redis: Redis, key: string): Promise<Map<string, number>> {
  const list = z.parse(Fields, (await redis.hgetall(key)) ?? []);
  const fields = new Map<string, number>();
  for (let at = 0; at + 1 < list.length; at += 2) fields.set(list[at] ?? "", z.parse(Milliseconds, list[at + 1]));
  return fields;
}

// Neither an app nor a user can have a colon, so no two people share a key.
function keyOf(app: AppId, userId: UserId): string {
  return `parley:presence:${app}:${userId}`;
}
