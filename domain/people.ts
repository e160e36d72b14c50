import { ChatError } from "../protocol/errors.ts";
import type { BanUserRequest, RestrictionReply } from "../protocol/http.ts";
import type { AppId, UserId } from "../protocol/ids.ts";
import { auditEntry } from "./audit-entry.ts";
import type { KeyCaller } from "./callers.ts";
import type { Deps } from "./deps.ts";
import { isSameJson } from "./same-json.ts";
import type { AuditAction } from "./ports/audit-log.ts";
import type { Restriction, RestrictionChange } from "./ports/restrictions.ts";

type PeopleDeps = Pick<Deps, "store" | "restrictions" | "rooms" | "now" | "wait">;
/** Who asks, and about whom. */
export interface PersonCall {
  caller: KeyCaller;
  userId: UserId;
  requestId: string;
}

/** Tokens carry whole seconds, so a revocation begins with one; this much later at least, for all the writing there is. */
const AHEAD_MS = 500;
const SECOND_MS = 1_000;
const COPIES_MAX = 5;
/** Writing that takes longer than until then is done again, for a later second, so often. */
const ROUNDS_MAX = 3;

/**
 * Ends all sockets of a user and refuses every token and sign-in from before. Whoever gets tokens after the answer may come
 * back.
 *
 * @throws {ChatError} `storage_unavailable`, `rooms_unavailable`: some parts may know of it already; sent again it completes
 */
export async function revokeUser(deps: PeopleDeps, call: PersonCall): Promise<RestrictionReply> {
  return await revoke(deps, call, "user.revoke", {});
}

/** The same, and no new tokens until the ban ends. */
export async function banUser(
  deps: PeopleDeps,
  call: PersonCall,
  { seconds, reason }: BanUserRequest,
): Promise<RestrictionReply> {
  const createdAt = new Date(deps.now());
  const until = seconds === undefined ? null : new Date(deps.now() + seconds * SECOND_MS);
  const ban = { until, reason: reason ?? null, createdBy: `key:${call.caller.keyId}`, createdAt };
  return await revoke(deps, call, "user.ban", { ban });
}

/** Lifts a ban. What was revoked with it stays revoked. */
export async function unbanUser(deps: PeopleDeps, call: PersonCall): Promise<RestrictionReply> {
  return toReply(call.userId, await restrict(deps, call, "user.unban", { ban: null }, crypto.randomUUID()));
}

async function revoke(
  deps: PeopleDeps,
  call: PersonCall,
  action: AuditAction,
  change: RestrictionChange,
): Promise<RestrictionReply> {
  const entryId = crypto.randomUUID();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const before = Math.ceil((deps.now() + AHEAD_MS) / SECOND_MS) * SECOND_MS;
    const restriction = await restrict(deps, call, action, { ...change, revokedBefore: before }, entryId);
    // Whoever asked for tokens before everybody knew has some of an earlier second. Past it that would not be certain.
    if (deps.now() >= before) continue;
    await deps.wait(before - deps.now());
    return toReply(call.userId, restriction);
  }
  throw new ChatError("storage_unavailable", { detail: "Telling everybody took too long, send it again" });
}

/** The store first, which is the truth; then, at once, everybody who has to know without asking it. */
async function restrict(
  deps: PeopleDeps,
  { caller, userId, requestId }: PersonCall,
  action: AuditAction,
  change: RestrictionChange,
  entryId: string,
): Promise<Restriction> {
  const { app } = caller;
  const { store, rooms } = deps;
  const entry = auditEntry({ caller, requestId, at: deps.now() }, { id: entryId, action, subject: userId });
  const { restriction, decidedAt } = await store.restrictUser(app, userId, change, entry);
  const ban = change.ban === undefined ? {} : { ban: restriction.ban };
  const revokedBefore = change.revokedBefore === undefined ? {} : { revokedBefore: restriction.revokedBefore };
  const told = await Promise.allSettled([
    copyRestriction(deps, app, userId, restriction),
    rooms.orderPerson(app, { userId, requestId, decidedAt, ...revokedBefore, ...ban }),
  ]);
  const failed = told.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return restriction;
}

/** Copies of changes made at once may arrive in another order than the changes did: the store has the last word. */
async function copyRestriction(
  { store, restrictions }: PeopleDeps,
  app: AppId,
  userId: UserId,
  changed: Restriction,
): Promise<void> {
  let restriction = changed;
  for (let round = 0; round < COPIES_MAX; round++) {
    await restrictions.saveRestriction(app, userId, restriction);
    const kept = await store.findRestriction(app, userId);
    if (isSameJson(kept, restriction)) return;
    restriction = kept;
  }
  throw new ChatError("storage_unavailable", { detail: "Others are changing this, send it again" });
}

function toReply(userId: UserId, { revokedBefore, ban }: Restriction): RestrictionReply {
  return {
    userId,
    revokedBefore: revokedBefore === 0 ? null : new Date(revokedBefore).toISOString(),
    banned: ban !== null,
    bannedUntil: ban === null || ban.until === null ? null : new Date(ban.until).toISOString(),
  };
}
