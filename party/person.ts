import * as z from "zod/mini";
import { isOvertaken, PersonOrder } from "../domain/orders.ts";
import type { AuditStore } from "../domain/ports/audit-log.ts";
import type { Now } from "../domain/ports/clock.ts";
import type { Restriction } from "../domain/ports/restrictions.ts";
import { laterRevocation, requireUnrestricted, RestrictionRecord, UNRESTRICTED } from "../domain/restriction.ts";
import { TokenBucket } from "../domain/token-bucket.ts";
import { KNOCKS, VISIT_KEPT_MS, VISIT_NEWS_MS, VISIT_UNDER_WAY_MS, VISITS_MAX } from "../domain/visits.ts";
import { ChatError, ERRORS } from "../protocol/errors.ts";
import { AppId, ChannelId, UserId } from "../protocol/ids.ts";
import { Durable } from "./durable.ts";
import type { RoomLogger } from "./log.ts";
import { PersonAudit } from "./person-audit.ts";
import type { Platform } from "./platform.ts";

/** Somebody comes to a room, with a token issued then. Doors of the version before this one did not say who it is. */
export const Visit = z.object({
  roomId: ChannelId,
  issuedAt: z.number(),
  who: z.optional(z.object({ app: AppId, userId: UserId })),
});
export type Visit = z.infer<typeof Visit>;
const VisitedRoom = z.object({ roomId: ChannelId, knock: z.number() });
/** They may; tokens issued before `notBefore` they must not use there. */
export const VisitReply = z.object({
  notBefore: z.number(),
  /** Names this visit. */
  knock: z._default(z.number(), 0),
  /** There are too many rooms: whoever asked finds out whether they still are in this one. */
  doubtful: z.optional(VisitedRoom),
});
export type VisitReply = z.infer<typeof VisitReply>;
/** What was found out about a room. `knock`: the newest visit there that was known of. */
export const Whereabouts = z.extend(VisitedRoom, { isHere: z.boolean() });
export type Whereabouts = z.infer<typeof Whereabouts>;
/** The rooms where they have been, and may still be. */
export const OrderReply = z.object({ rooms: z.array(ChannelId) });

export interface PersonRequest {
  url: string;
  text(): Promise<string>;
}

interface PersonDeps {
  store: Pick<AuditStore, "writeAudit">;
  now: Now;
  newId: () => string;
  log: RoomLogger;
}

const RESTRICTION = "restriction";
const BAN_DECIDED = "ban-decided";
const ROOM = "room:";

/**
 * What all rooms have to know of one person, in one object: since when their tokens are refused, whether they are banned
 * from the app, and which rooms to tell. Everybody who is let into a room has been here first, so nobody slips in while it
 * is being told; see docs/decisions/0010.
 *
 * Only doors of ours can reach it. Hooks never throw.
 */
export class Person {
  readonly #platform: Pick<Platform, "storage" | "blockConcurrencyWhile">;
  readonly #now: Now;
  readonly #log: RoomLogger;
  readonly #durable: Durable;
  readonly #audit: PersonAudit;
  #restriction: Restriction = UNRESTRICTED;
  /** When the store took in that they are banned, or are not any more. */
  #banDecidedAt = 0;
  /** When they last came to each room, to the hour. */
  #visits = new Map<ChannelId, number>();
  /** The newest visit to each room in this waking, and when it was. */
  readonly #knocks = new Map<ChannelId, { knock: number; at: number }>();
  /** No two visits have one number, not even in two wakings. */
  #lastKnock: number;
  readonly #limit: TokenBucket;
  #isAwake = false;

  constructor(platform: Pick<Platform, "storage" | "blockConcurrencyWhile">, deps: PersonDeps) {
    const { now, log } = deps;
    this.#platform = platform;
    this.#now = now;
    this.#log = log;
    this.#durable = new Durable(platform.storage, log);
    this.#audit = new PersonAudit({ ...deps, durable: this.#durable });
    this.#limit = new TokenBucket(KNOCKS, now);
    this.#lastKnock = now();
  }

  /** Nothing that is answered leaves before what it says is durable. */
  async request(request: PersonRequest): Promise<Response> {
    try {
      await this.#requireAwake();
      const verb = new URL(request.url).pathname.split("/").at(-1);
      const body: unknown = JSON.parse(await request.text());
      if (verb === "visit") return Response.json(this.#visit(Visit.parse(body)));
      if (verb === "whereabouts") return Response.json(this.#note(Whereabouts.parse(body)));
      if (verb === "order") return Response.json(this.#order(PersonOrder.parse(body)));
      throw new ChatError("not_found");
    } catch (error) {
      if (!(error instanceof ChatError)) this.#log.error("person_failed", error);
      const code = error instanceof ChatError ? error.code : "rooms_unavailable";
      return Response.json({ code }, { status: ERRORS[code].status });
    }
  }

  /** Forgets rooms where they have not been for long, and tells the audit log what they were refused. */
  async alarm(): Promise<void> {
    try {
      this.#durable.alarmIs(undefined);
      await this.#requireAwake();
      const old = [...this.#visits].filter(([, at]) => at + VISIT_KEPT_MS <= this.#now()).map(([roomId]) => roomId);
      this.#forget(old);
      await this.#audit.flush();
      this.#schedule();
    } catch (error) {
      this.#log.error("alarm_failed", error);
    }
  }

  #schedule(): void {
    if (this.#visits.size > 0) this.#durable.wakeBy(Math.min(...this.#visits.values()) + VISIT_KEPT_MS);
    this.#durable.wakeBy(this.#audit.nextAt());
  }

  #visit(visit: Visit): VisitReply {
    try {
      return this.#letIn(visit);
    } catch (error) {
      const { who, roomId: channelId } = visit;
      if (error instanceof ChatError && who !== undefined)
        this.#audit.note(who.app, { userId: who.userId, channelId, code: error.code });
      throw error;
    }
  }

  #letIn({ roomId, issuedAt }: Visit): VisitReply {
    const now = this.#now();
    if (this.#limit.take() !== undefined) throw new ChatError("rate_limited");
    requireUnrestricted(this.#restriction, issuedAt, now);
    const last = this.#visits.get(roomId);
    if (last === undefined || Math.abs(now - last) > VISIT_NEWS_MS) this.#keepVisit(roomId);
    const knock = (this.#lastKnock += 1);
    this.#knocks.set(roomId, { knock, at: now });
    const doubtful = this.#visits.size > VISITS_MAX ? this.#oldest() : undefined;
    return { notBefore: this.#restriction.revokedBefore, knock, ...(doubtful && { doubtful }) };
  }

  #keepVisit(roomId: ChannelId): void {
    const now = this.#now();
    this.#visits.set(roomId, now);
    this.#durable.keep({ [ROOM + roomId]: now });
    this.#durable.wakeBy(now + VISIT_KEPT_MS);
  }

  /** The room they have not come to for longest, but for those they may be entering now. */
  #oldest(): z.infer<typeof VisitedRoom> | undefined {
    let oldest: { roomId: ChannelId; at: number } | undefined;
    for (const [roomId, at] of this.#visits) {
      const isUnderWay = (this.#knocks.get(roomId)?.at ?? -Infinity) > this.#now() - VISIT_UNDER_WAY_MS;
      if (!isUnderWay && at < (oldest?.at ?? Infinity)) oldest = { roomId, at };
    }
    return oldest && { roomId: oldest.roomId, knock: this.#knocks.get(oldest.roomId)?.knock ?? 0 };
  }

  /** Forgets a room where they are not, unless they have come there again meanwhile. */
  #note({ roomId, knock, isHere }: Whereabouts): object {
    const isNews = this.#visits.has(roomId) && (this.#knocks.get(roomId)?.knock ?? 0) === knock;
    if (isNews && isHere) this.#keepVisit(roomId);
    if (isNews && !isHere) this.#forget([roomId]);
    return {};
  }

  #forget(rooms: readonly ChannelId[]): void {
    for (const roomId of rooms) {
      this.#visits.delete(roomId);
      this.#knocks.delete(roomId);
    }
    this.#durable.forget(rooms.map((roomId) => ROOM + roomId));
  }

  #order(order: PersonOrder): z.infer<typeof OrderReply> {
    const { revokedBefore, ban, decidedAt = 0 } = order;
    const known = this.#restriction;
    const isNewBan = ban !== undefined && !isOvertaken(order, this.#banDecidedAt);
    if (isNewBan) this.#banDecidedAt = decidedAt;
    this.#restriction = {
      revokedBefore: laterRevocation(known.revokedBefore, revokedBefore ?? known.revokedBefore),
      ban: isNewBan ? ban : known.ban,
    };
    this.#durable.keep({ [RESTRICTION]: this.#restriction, [BAN_DECIDED]: this.#banDecidedAt });
    return { rooms: [...this.#visits.keys()] };
  }

  async #requireAwake(): Promise<void> {
    if (!this.#isAwake) await this.#platform.blockConcurrencyWhile(() => this.#wake());
    if (!this.#isAwake) throw new ChatError("rooms_unavailable");
  }

  // What is thrown in there would reset the object.
  async #wake(): Promise<void> {
    if (this.#isAwake) return;
    try {
      const { storage } = this.#platform;
      const kept = await storage.get([RESTRICTION, BAN_DECIDED]);
      const visits = await storage.list({ prefix: ROOM });
      this.#restriction = z.parse(RestrictionRecord, kept.get(RESTRICTION) ?? UNRESTRICTED);
      this.#banDecidedAt = z.parse(z.number(), kept.get(BAN_DECIDED) ?? 0);
      this.#visits = new Map(
        [...visits].map(([key, at]) => [ChannelId.parse(key.slice(ROOM.length)), z.parse(z.number(), at)]),
      );
      await this.#audit.resume();
      this.#durable.alarmIs((await storage.getAlarm()) ?? undefined);
      this.#schedule();
      this.#isAwake = true;
    } catch (error) {
      this.#log.error("reading_failed", error, { what: "person" });
    }
  }
}
