import * as z from "zod/mini";
import { signChatToken, type TokenKeys } from "../domain/chat-tokens.ts";
import type { Now } from "../domain/ports/clock.ts";
import type { EventRange } from "../domain/ports/history.ts";
import type { RoomLink, RoomPresenceRecord, RoomTail } from "../domain/ports/room-link.ts";
import { RoomEventRecord } from "../domain/room-event.ts";
import { ChatError } from "../protocol/errors.ts";
import { Seq } from "../protocol/frames.ts";
import { type AppId, ChannelId, UserId } from "../protocol/ids.ts";

export interface RoomLinkDeps {
  /** The address of the rooms. */
  partyUrl: string;
  tokenKeys: TokenKeys;
  fetch: typeof fetch;
  now: Now;
  /** The app whose room is knocked at to see whether rooms work. */
  app: AppId;
  timeoutMs?: number;
}

const TOKEN_LIFE_MS = 60_000;
const TIMEOUT_MS = 3_000;
/** For what many rooms have to be told. */
const EVERYWHERE_MS = 6_000;
const PROBE_ROOM = ChannelId.parse("parley-probe");
const PROBE_USER = UserId.parse("parley-probe");

const Tail: z.ZodMiniType<RoomTail> = z.object({
  // Empty for a room that nobody has been in yet.
  epoch: z.string().check(z.maxLength(32)),
  head: Seq,
  storedSeq: Seq,
  isMember: z.boolean(),
  events: z.array(RoomEventRecord),
});
const Presence: z.ZodMiniType<RoomPresenceRecord> = z.object({
  isMember: z.boolean(),
  memberCount: z.number(),
  online: z.array(z.object({ userId: UserId, username: z.string() })),
});
const Done = z.object({});
const Ordered = z.object({ hadJoined: z._default(z.boolean(), false) });
const Pong = z.object({ ok: z.literal(true) });

/** Rooms as the Worker asks them: over HTTP, each request with an internal token of its own and a time limit. */
export function createRoomLink(deps: RoomLinkDeps): RoomLink {
  return {
    orderRoom: (app, id, order) => ask(deps, Ordered, `main/${id}/people`, { app, caller: order.userId, body: order }),
    orderPerson: async (app, order) =>
      void (await ask(deps, Done, "people/orders", {
        app,
        caller: order.userId,
        body: order,
        timeoutMs: EVERYWHERE_MS,
      })),
    tellLists: async (app, id) =>
      void (await ask(deps, Done, `main/${id}/lists`, { app, caller: PROBE_USER, body: {} })),
    readTail: (app, id, caller, range) => ask(deps, Tail, `main/${id}/tail${toQuery(range)}`, { app, caller }),
    readPresence: (app, id, caller) => ask(deps, Presence, `main/${id}/presence`, { app, caller }),
    async ping(signal) {
      await ask(deps, Pong, `main/${PROBE_ROOM}/ping`, { app: deps.app, caller: PROBE_USER, signal });
    },
  };
}

function toQuery(range: EventRange | undefined): string {
  if (range === undefined) return "";
  const { before, after, limit } = range;
  const given = Object.entries({ before, after, limit }).filter(([, value]) => value !== undefined);
  return `?${given.map(([name, value]) => `${name}=${value}`).join("&")}`;
}

interface Question {
  app: AppId;
  caller: UserId;
  /** Sent as JSON; without one it is only asked. */
  body?: unknown;
  signal?: AbortSignal;
  timeoutMs?: number;
}

async function ask<Answer>(
  deps: RoomLinkDeps,
  schema: z.ZodMiniType<Answer>,
  path: `${"main" | "people"}/${string}`,
  { app, caller, body, signal, timeoutMs = TIMEOUT_MS }: Question,
): Promise<Answer> {
  const issuedAt = deps.now();
  const token = await signChatToken(deps.tokenKeys, "internal", {
    userId: caller,
    app,
    name: undefined,
    issuedAt,
    expiresAt: issuedAt + TOKEN_LIFE_MS,
  });
  const limit = AbortSignal.timeout(deps.timeoutMs ?? timeoutMs);
  try {
    const response = await deps.fetch(`${deps.partyUrl.replace(/\/+$/, "")}/parties/${path}`, {
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
      headers: { authorization: `Bearer ${token}` },
      redirect: "manual",
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    });
    if (response.status !== 200) throw new Error(`the room answered ${response.status}`);
    return z.parse(schema, await response.json());
  } catch (cause) {
    throw new ChatError("rooms_unavailable", { cause });
  }
}
