import type * as z from "zod/mini";
import { ChatError, ERRORS } from "../protocol/errors.ts";
import type { RoomPresenceRecord, RoomTail } from "../domain/ports/room-link.ts";
import type { ChatClaims } from "../domain/chat-tokens.ts";
import { RoomOrder } from "../domain/orders.ts";
import { readBan, readRoomAddress, requireBearer } from "./admission.ts";
import { KEYS } from "./kept.ts";
import type { ChatRoom } from "./room.ts";
import { readTail, readTailRange } from "./tail.ts";
import type { HereReply } from "./visiting.ts";

/** The parts of a request that a room reads. */
export interface RoomRequest {
  method: string;
  url: string;
  headers: Pick<Headers, "get">;
  text(): Promise<string>;
}

/** People that one answer about presence names. */
const PRESENCE_MAX = 1_000;

/** Answers our own Worker. Whoever has no internal token learns nothing, not even that there is something. */
export async function answerRequest(room: ChatRoom, request: RoomRequest): Promise<Response> {
  const path = readRoomAddress(request.url);
  if (path?.verb === "admission") return answerGuest(room, () => answerAdmission(room, request));
  if (path?.verb === "here") return answerGuest(room, () => answerHere(room, request));
  const claims = await verifyInternal(room, request);
  if (path === undefined || claims === undefined || claims.app !== path.app) return notFound();
  switch (`${request.method} ${path.verb}`) {
    case "POST people":
      return answerOrder(room, request);
    case "POST lists":
      return answerLists(room);
    case "GET tail":
      return answerTail(room, claims, request.url);
    case "GET presence":
      return Response.json(await readPresence(room, claims));
    case "GET ping":
      return answerPing(room);
    default:
      return notFound();
  }
}

/** The edge asks with the guest's own token, before it opens the socket. */
async function answerAdmission(room: ChatRoom, request: RoomRequest): Promise<Response> {
  await room.door.requireAdmission(request);
  return new Response(null, { status: 204 });
}

/** Whether the guest has a socket here already. */
async function answerHere(room: ChatRoom, { headers }: RoomRequest): Promise<Response> {
  const { userId } = await room.deps.verify("ws", requireBearer(headers));
  const [session] = room.sessions.of(userId);
  return Response.json({ isHere: session !== undefined } satisfies z.infer<typeof HereReply>);
}

async function answerGuest(room: ChatRoom, answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof ChatError)) room.deps.log.error("admission_failed", error);
    const code = error instanceof ChatError ? error.code : "internal";
    return Response.json({ code }, { status: ERRORS[code].status });
  }
}

/** The answer, as everything that leaves a room, waits until the order is durable. */
async function answerOrder(room: ChatRoom, request: RoomRequest): Promise<Response> {
  const carriedOut = await room.orders.take(RoomOrder.parse(JSON.parse(await request.text())));
  await room.orders.prune();
  return Response.json(carriedOut);
}

/** What the content filter goes by has changed. */
async function answerLists(room: ChatRoom): Promise<Response> {
  await room.loadOrder();
  await room.moderation.changed();
  return Response.json({});
}

async function verifyInternal(room: ChatRoom, request: RoomRequest): Promise<ChatClaims | undefined> {
  try {
    return await room.deps.verify("internal", requireBearer(request.headers));
  } catch {
    return undefined; // whatever is wrong with it, the answer is the same
  }
}

async function answerTail(room: ChatRoom, { userId }: ChatClaims, url: string): Promise<Response> {
  const ends = { storedSeq: room.outbox.storedSeq, head: room.life?.head.seq ?? 0 };
  const tail: RoomTail = {
    epoch: room.life?.identity.epoch ?? "",
    ...ends,
    isMember: await isKnown(room, { userId }),
    events: await readTail(room, ends, readTailRange(url)),
  };
  return Response.json(tail);
}

async function readPresence(room: ChatRoom, claims: Pick<ChatClaims, "userId">): Promise<RoomPresenceRecord> {
  const { roster } = room.attendance;
  return {
    isMember: await isKnown(room, claims),
    memberCount: roster.size,
    online: roster.members(PRESENCE_MAX).map(({ userId, username }) => ({ userId, username })),
  };
}

async function answerPing(room: ChatRoom): Promise<Response> {
  const written = crypto.randomUUID();
  await room.durable.storage.put({ [KEYS.probe]: written });
  const read = (await room.durable.storage.get([KEYS.probe])).get(KEYS.probe);
  return Response.json({ ok: read === written });
}

async function isKnown(room: ChatRoom, { userId }: Pick<ChatClaims, "userId">): Promise<boolean> {
  const [member, ban] = [KEYS.member(userId), KEYS.ban(userId)];
  const kept = await room.durable.storage.get([member, ban]);
  return kept.has(member) && readBan(kept.get(ban), room.deps.now())?.kind !== "ban";
}

function notFound(): Response {
  return Response.json({ code: "not_found" }, { status: 404 });
}
