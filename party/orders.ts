import type { ChatClaims } from "../domain/chat-tokens.ts";
import type { RoomOrder } from "../domain/orders.ts";
import { VISIT_KEPT_MS } from "../domain/visits.ts";
import { BANNED_EVERYWHERE, ChatError, type CloseReason } from "../protocol/errors.ts";
import type { UserId } from "../protocol/ids.ts";
import { mutedUntil } from "./admission.ts";
import { type KeptBan, KEYS, KEYS_PER_CALL, PREFIXES } from "./kept.ts";
import type { ChatRoom } from "./room.ts";
import { save, type Session } from "./session.ts";

/**
 * What our Worker orders about people: kept for the door, and carried out at once on the sockets that are open. Carrying the
 * same order out again changes nothing.
 */
export class Orders {
  readonly #room: ChatRoom;
  /** For each person, the number of their last order in this waking: guests do not wait at the door through a sleep. */
  readonly #last = new Map<UserId, number>();
  #count = 0;

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

  /** @returns how many sockets it has ended. */
  take(order: RoomOrder): number {
    const { userId } = order;
    this.#last.set(userId, ++this.#count);
    this.#room.deps.log.note("order", { order: order.order, userId, requestId: order.requestId });
    switch (order.order) {
      case "ban":
      case "mute":
        return this.#ban(userId, { kind: order.order, until: order.until });
      case "lift":
        this.#room.durable.forget([KEYS.ban(userId)]);
        return this.#mute(userId, undefined);
      case "remove":
        this.#room.durable.forget([KEYS.member(userId)]);
        this.#room.outbox.memberLeft(userId);
        return this.#end(this.#socketsOf(userId), "forbidden");
      case "revoke":
        return this.#revoke(userId, order.before, "invalid_token");
      case "expel":
        return this.#revoke(userId, order.before, "banned", BANNED_EVERYWHERE);
    }
  }

  /** @throws {ChatError} `token_revoked` when a new token for an open socket is one of those that were revoked. */
  async requireUnrevoked({ state }: Session, { userId, issuedAt }: ChatClaims): Promise<void> {
    const key = KEYS.out(userId);
    const kept = (await this.#room.durable.storage.get([key])).get(key);
    if (issuedAt < Math.max(state.notBefore, Number(kept ?? 0))) throw new ChatError("token_revoked");
  }

  /** Drops what no token can be old enough for any more. */
  async prune(): Promise<void> {
    const { deps, durable } = this.#room;
    const kept = await durable.storage.list({ prefix: PREFIXES.out, limit: KEYS_PER_CALL });
    const old = [...kept].filter(([, before]) => Number(before) + VISIT_KEPT_MS < deps.now());
    durable.forget(old.map(([key]) => key));
  }

  #ban(userId: UserId, ban: KeptBan): number {
    this.#room.durable.keep({ [KEYS.ban(userId)]: ban });
    this.#mute(userId, ban);
    return ban.kind === "ban" ? this.#end(this.#socketsOf(userId), "banned") : 0;
  }

  #mute(userId: UserId, ban: KeptBan | undefined): 0 {
    for (const session of this.#socketsOf(userId)) {
      session.state.mutedUntil = mutedUntil(ban);
      save(session);
    }
    return 0;
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
