import * as z from "zod/mini";
import type { Now } from "../domain/ports/clock.ts";
import type { PresenceBoard } from "../domain/ports/presence-board.ts";
import { ChatError } from "../protocol/errors.ts";
import type { AppId, UserId } from "../protocol/ids.ts";
import type { Command, Redis } from "./upstash.ts";

/** How long a report counts, in milliseconds: a room that says nothing more is taken to be gone. */
const REPORT_MS = 150_000;
/** How long it is known when somebody was last seen. */
const SEEN_SECONDS = 90 * 24 * 60 * 60;
/** Commands in one request. */
const CHUNK = 500;

const SEEN = "seen";
const ROOM = "in:";

/** Redis answers a hash as one list: field, value, field, value. All values are milliseconds since 1970. */
const Fields = z.array(z.string());
const Milliseconds = z.coerce.number().check(z.int());

/** One hash per user: `in:<channel>` is until when that room's report counts, `seen` when anyone saw the user last. */
export function createPresenceBoard(redis: Redis, now: Now = Date.now): PresenceBoard {
  return {
    async findUserPresence(app, userId) {
      const fields = readFields(await redis.send(["hgetall", keyOf(app, userId)]));
      const seen = fields.get(SEEN);
      const isOnline = [...fields].some(([field, until]) => field.startsWith(ROOM) && until > now());
      return { online: isOnline, lastSeenAt: seen === undefined ? null : new Date(seen) };
    },
    async reportPresence(app, channelId, { online, offline, at }) {
      const room = `${ROOM}${channelId}`;
      const seen = at.getTime();
      const commands = [
        ...online.flatMap((userId): Command[] => [
          ["hset", keyOf(app, userId), SEEN, seen, room, seen + REPORT_MS],
          ["expire", keyOf(app, userId), SEEN_SECONDS],
        ]),
        ...offline.flatMap((userId): Command[] => [
          ["hdel", keyOf(app, userId), room],
          ["hset", keyOf(app, userId), SEEN, seen],
          ["expire", keyOf(app, userId), SEEN_SECONDS],
        ]),
      ];
      for (let start = 0; start < commands.length; start += CHUNK)
        await redis.sendAll(commands.slice(start, start + CHUNK));
    },
  };
}

function readFields(answer: unknown): Map<string, number> {
  const list = z.safeParse(Fields, answer);
  if (!list.success) throw new ChatError("storage_unavailable", { cause: list.error });
  const fields = new Map<string, number>();
  for (let at = 0; at + 1 < list.data.length; at += 2) {
    const value = z.safeParse(Milliseconds, list.data[at + 1]);
    if (value.success) fields.set(list.data[at] ?? "", value.data);
  }
  return fields;
}

// Neither an app nor a user can have a colon, so no two people share a key.
function keyOf(app: AppId, userId: UserId): string {
  return `parley:presence:${app}:${userId}`;
}
