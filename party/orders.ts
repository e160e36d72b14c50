import type { ChatClaims } from "../domain/chat-tokens.ts";
import { isOvertaken, type RoomOrder } from "../domain/orders.ts";
import { laterRevocation } from "../domain/restriction.ts";
import { VISIT_KEPT_MS } from "../domain/visits.ts";
import { BANNED_EVERYWHERE, ChatError, type CloseReason } from "../protocol/errors.ts";
import type { UserId } from "../protocol/ids.ts";
import { mutedUntil } from "./admission.ts";
import { KeptBan, KEYS, KEYS_PER_CALL, PREFIXES } from "./kept.ts";
import type { ChatRoom } from "./room.ts";
import { save, type Session } from "./session.ts";

const PRUNED_EVERY_MS = 3_600_000;

/**
 * What our Worker orders about people: kept for the door, and carried out at once on the sockets that are open. Carrying the
 * same order out again changes nothing.
 */
export class Orders {
  readonly #room: ChatRoom;
  /** For each person, the number of their last order in this waking: guests do not wait at the door through a sleep. */
  readonly #last = new Map<UserId, number>();
  #count = 0;
  #prunedAt = -Infinity;

  constructor(room: ChatRoom) {
    this.#room = room;
  }

  /** How many orders there have been in this waking. */
  get count(): number {
    return this.#count;
  }

  /** Whether there was an order about somebody after so many orders. */
  cameFor(userId: UserId, count: number): boolean {
    return (this.#last.get(userId) ?? 0) > count;
  }

  /** @returns how many sockets it has ended, and whether history may not have known that its user had joined. */
  async take(order: RoomOrder): Promise<{ ended: number; hadJoined: boolean }> {
    const { userId } = order;
    const keys = { ban: KEYS.ban(userId), out: KEYS.out(userId), joined: KEYS.dueMember(userId) };
    // While this is read nothing else happens to the room.
    const kept = await this.#room.durable.storage.get(Object.values(keys));
    this.#last.set(userId, ++this.#count);
    this.#room.deps.log.note("order", { order: order.order, userId, requestId: order.requestId });
    const hadJoined = order.order === "remove" && kept.has(keys.joined);
    const ended = this.#carryOut(order, { ban: kept.get(keys.ban), out: kept.get(keys.out) });
    // What is being written now may make them a member once more; whoever has ordered this sees to it afterwards.
    if (hadJoined) await this.#room.outbox.written();
    return { ended, hadJoined };
  }

  /** @throws {ChatError} `token_revoked` when a new token for an open socket is one of those that were revoked. */
  async requireUnrevoked({ state }: Session, { userId, issuedAt }: ChatClaims): Promise<void> {
    const key = KEYS.out(userId);
    const kept = (await this.#room.durable.storage.get([key])).get(key);
    if (issuedAt < Math.max(state.notBefore, Number(kept ?? 0))) throw new ChatError("token_revoked");
  }

  /**
   * Drops revocations that no token can be old enough for any more, and bans that ended or were lifted as long ago: before
   * that a clock may have been wrong, and an earlier order may still be on its way. Looks for them once an hour.
   */
  async prune(): Promise<void> {
    const now = this.#room.deps.now();
    if (Math.abs(now - this.#prunedAt) < PRUNED_EVERY_MS) return;
    this.#prunedAt = now;
    await this.#forgetEnded(PREFIXES.out, Number);
    await this.#forgetEnded(PREFIXES.ban, (kept) => endOfBan(KeptBan.parse(kept)));
  }

  /** @param endOf When that which is kept meant something for the last time. */
  async #forgetEnded(prefix: string, endOf: (kept: unknown) => number): Promise<void> {
    const { deps, durable } = this.#room;
    for (let start: string = prefix; ;) {
      const page = await durable.storage.list({ prefix, start, limit: KEYS_PER_CALL });
      const ended = [...page].filter(([, kept]) => endOf(kept) + VISIT_KEPT_MS < deps.now());
      durable.forget(ended.map(([key]) => key));
      const last = [...page.keys()].at(-1);
      if (last === undefined || page.size < KEYS_PER_CALL) return;
      start = `${last}\0`;
    }
  }

  #carryOut(order: RoomOrder, kept: { ban: unknown; out: unknown }): number {
    const { userId } = order;
    switch (order.order) {
      case "ban":
      case "mute":
      case "lift":
        return this.#ban(order, kept.ban);
      case "remove":
        this.#room.durable.forget([KEYS.member(userId)]);
        this.#room.outbox.memberLeft(userId);
        return this.#end(this.#socketsOf(userId), "forbidden");
      case "revoke":
        return this.#revoke(userId, laterRevocation(Number(kept.out ?? 0), order.before), "invalid_token");
      case "expel": {
        const before = laterRevocation(Number(kept.out ?? 0), order.before);
        return this.#revoke(userId, before, "banned", BANNED_EVERYWHERE);
      }
    }
  }

  #ban(order: Extract<RoomOrder, { order: "ban" | "mute" | "lift" }>, kept: unknown): number {
    const { userId, order: what, decidedAt = 0 } = order;
    if (kept !== undefined && isOvertaken(order, KeptBan.parse(kept).decidedAt)) return 0;
    const until = order.order === "lift" ? null : order.until;
    const ban: KeptBan = { kind: what === "lift" ? "lifted" : what, until, decidedAt };
    this.#room.durable.keep({ [KEYS.ban(userId)]: ban });
    for (const session of this.#socketsOf(userId)) {
      session.state.mutedUntil = mutedUntil(ban);
      save(session);
    }
    return ban.kind === "ban" ? this.#end(this.#socketsOf(userId), "banned") : 0;
  }

  #revoke(userId: UserId, before: number, reason: CloseReason, detail?: string): number {
    this.#room.durable.keep({ [KEYS.out(userId)]: before });
    const revoked = this.#socketsOf(userId).filter(({ state }) => state.issuedAt < before);
    return this.#end(revoked, reason, detail);
  }

  #end(sessions: readonly Session[], reason: CloseReason, detail?: string): number {
    for (const session of sessions) this.#room.end(session, reason, detail);
    return sessions.length;
  }

  #socketsOf(userId: UserId): Session[] {
    return [...this.#room.sessions.of(userId)];
  }
}

function endOfBan({ kind, until, decidedAt }: KeptBan): number {
  return kind === "lifted" ? decidedAt : (until ?? Infinity);
}
