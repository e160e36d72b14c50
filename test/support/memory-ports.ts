import { userIdentity } from "../../domain/callers.ts";
import type { PersonOrder, RoomOrder } from "../../domain/orders.ts";
import type { KeySetCache } from "../../domain/ports/key-set-cache.ts";
import type { LimitAnswer, Limiter, LimitPolicyName } from "../../domain/ports/limiter.ts";
import type { PresenceBoard } from "../../domain/ports/presence-board.ts";
import type { Restriction, RestrictionBoard } from "../../domain/ports/restrictions.ts";
import type { RoomLink, RoomPresenceRecord, RoomTail } from "../../domain/ports/room-link.ts";
import { UNRESTRICTED } from "../../domain/restriction.ts";
import { ChatError } from "../../protocol/errors.ts";
import type { AppId, ChannelId, UserId } from "../../protocol/ids.ts";

/** What stands behind the ports of the HTTP side when nothing leaves the process. Each can be made to fail. */

export class MemoryKeySets implements KeySetCache {
  readonly entries = new Map<string, { jwks: unknown; fetchedAt: number }>();
  isDown = false;
  async load(issuer: string): Promise<{ jwks: unknown; fetchedAt: number } | undefined> {
    if (this.isDown) throw new ChatError("storage_unavailable");
    return structuredClone(this.entries.get(issuer));
  }
  async save(issuer: string, entry: { jwks: unknown; fetchedAt: number }): Promise<void> {
    if (this.isDown) throw new ChatError("storage_unavailable");
    this.entries.set(issuer, structuredClone(entry));
  }
}

/** Rooms that say what a test tells them, and count how often they are asked. */
export class MemoryRooms implements RoomLink {
  readonly tails = new Map<string, RoomTail>();
  readonly presences = new Map<string, RoomPresenceRecord>();
  isDown = false;
  asked = 0;
  /** Every order, in turn: of rooms by their name, of people everywhere. */
  readonly orders: { to: string; order: RoomOrder | PersonOrder }[] = [];

  /** Of who is removed: that history may not have known of their joining. */
  hadJoined = false;

  async orderRoom(app: AppId, id: ChannelId, order: RoomOrder): Promise<{ hadJoined: boolean }> {
    this.#ask();
    this.orders.push({ to: `${app}:${id}`, order });
    return { hadJoined: this.hadJoined };
  }
  async orderPerson(app: AppId, order: PersonOrder): Promise<void> {
    this.#ask();
    this.orders.push({ to: app, order });
  }
  /** Channels whose room was told of new lists. */
  readonly told: string[] = [];
  async tellLists(app: AppId, id: ChannelId): Promise<void> {
    this.#ask();
    this.told.push(`${app}:${id}`);
  }
  async readTail(app: AppId, id: ChannelId): Promise<RoomTail> {
    this.#ask();
    return this.tails.get(`${app}:${id}`) ?? { epoch: "e1", head: 0, storedSeq: 0, isMember: false, events: [] };
  }
  async readPresence(app: AppId, id: ChannelId): Promise<RoomPresenceRecord> {
    this.#ask();
    return this.presences.get(`${app}:${id}`) ?? { isMember: false, memberCount: 0, online: [] };
  }
  async ping(): Promise<void> {
    this.#ask();
  }
  #ask(): void {
    this.asked += 1;
    if (this.isDown) throw new ChatError("rooms_unavailable");
  }
}

export class MemoryBoard implements PresenceBoard {
  readonly seen = new Map<string, { online: boolean; lastSeenAt: Date | null }>();
  async findUserPresence(app: AppId, userId: UserId): Promise<{ online: boolean; lastSeenAt: Date | null }> {
    return this.seen.get(`${app}:${userId}`) ?? { online: false, lastSeenAt: null };
  }
  async reportPresence(): Promise<void> {}
}

/** What stands beside the store, where the limiter finds it. */
export class MemoryRestrictions implements RestrictionBoard {
  readonly saved = new Map<string, Restriction>();
  isDown = false;
  async saveRestriction(app: AppId, userId: UserId, restriction: Restriction): Promise<void> {
    if (this.isDown) throw new ChatError("storage_unavailable");
    this.saved.set(userIdentity(app, userId), structuredClone(restriction));
  }
}

/** Counts in fixed windows, by the standing clock. */
export class MemoryLimiter implements Limiter {
  readonly #policies: Record<LimitPolicyName, { limit: number; windowSeconds: number }>;
  readonly #now: () => number;
  readonly #counts = new Map<string, { startedAt: number; count: number }>();
  isDegraded = false;
  /** Every identity that was counted, by policy. */
  readonly taken: { policy: LimitPolicyName; identity: string }[] = [];

  readonly #restrictions: MemoryRestrictions;

  constructor(
    policies: Record<LimitPolicyName, { limit: number; windowSeconds: number }>,
    now: () => number,
    restrictions: MemoryRestrictions,
  ) {
    this.#policies = policies;
    this.#now = now;
    this.#restrictions = restrictions;
  }

  async take(policy: LimitPolicyName, identity: string): Promise<LimitAnswer> {
    this.taken.push({ policy, identity });
    const { limit, windowSeconds } = this.#policies[policy];
    const key = JSON.stringify([policy, identity]);
    const known = this.#counts.get(key);
    const isOver = known === undefined || this.#now() - known.startedAt >= windowSeconds * 1_000;
    const window = isOver ? { startedAt: this.#now(), count: 0 } : known;
    window.count += 1;
    this.#counts.set(key, window);
    return {
      allowed: window.count <= limit,
      limit,
      windowSeconds,
      remaining: Math.max(0, limit - window.count),
      resetSeconds: windowSeconds - (this.#now() - window.startedAt) / 1_000,
      degraded: this.isDegraded,
      restriction: this.isDegraded ? undefined : (this.#restrictions.saved.get(identity) ?? UNRESTRICTED),
    };
  }
}
