import * as z from "zod/mini";
import type { Guest } from "../domain/socket-door.ts";
import { within } from "../domain/within.ts";
import { BANNED_EVERYWHERE, ChatError, type ErrorCode } from "../protocol/errors.ts";
import { roomKey } from "../protocol/ids.ts";
import { type Lobby, objectOf } from "./lobby.ts";
import { type Visit, VisitReply, type Whereabouts } from "./person.ts";
import { askPerson } from "./person-link.ts";

const PATIENCE_MS = 1_500;
/** Refusals that say that the guest is in no way in that room. */
const STRANGER: ReadonlySet<ErrorCode> = new Set(["room_not_found", "forbidden", "banned"]);

export const HereReply = z.object({ isHere: z.boolean() });

/** The person's own object knows of every room they come to, and may say that they must not come to any. */
export async function visit(lobby: Lobby, guest: Guest): Promise<VisitReply> {
  const { claims, roomId } = guest;
  const { app, userId, issuedAt } = claims;
  try {
    const asks: Visit = { roomId, issuedAt, who: { app, userId } };
    const reply = await askPerson(VisitReply, lobby, app, userId, "visit", asks);
    if (reply.doubtful !== undefined) await lookUp(lobby, guest, reply.doubtful);
    return reply;
  } catch (error) {
    const isBan = error instanceof ChatError && error.code === "banned";
    throw isBan ? new ChatError("banned", { detail: BANNED_EVERYWHERE }) : error;
  }
}

/** A room that would not have the guest is none of theirs. Never rejects: what is not forgotten now will be later. */
export async function takeBack(lobby: Lobby, guest: Guest, { knock }: VisitReply, refusal: unknown): Promise<void> {
  const isStranger = refusal instanceof ChatError && STRANGER.has(refusal.code);
  if (isStranger) await report(lobby, guest, { roomId: guest.roomId, knock, isHere: false }).catch(() => {});
}

/** Finds out whether the guest still is in another room. Never rejects, nor takes long: another visit tries again. */
async function lookUp(lobby: Lobby, guest: Guest, room: NonNullable<VisitReply["doubtful"]>): Promise<void> {
  const asked = async () => {
    const stub = objectOf(lobby, "main", roomKey(guest.claims.app, room.roomId));
    const headers = { authorization: `Bearer ${guest.token}` };
    const answer = (await stub.fetch("/here", { headers })) as Response; // a room's fetch answers with one
    const { isHere } = HereReply.parse(await answer.json());
    await report(lobby, guest, { ...room, isHere });
  };
  await within(PATIENCE_MS, asked()).catch(() => {});
}

async function report(lobby: Lobby, { claims }: Guest, about: Whereabouts): Promise<void> {
  await askPerson(z.object({}), lobby, claims.app, claims.userId, "whereabouts", about);
}
