import * as z from "zod/mini";
import { isOvertaken, PersonOrder } from "../domain/orders.ts";
import type { Restriction } from "../domain/ports.ts";
import { laterRevocation, requireUnrestricted, RestrictionRecord, UNRESTRICTED } from "../domain/restriction.ts";
import { VISIT_KEPT_MS, VISIT_NEWS_MS, VISITS_MAX } from "../domain/visits.ts";
import { ChatError, ERRORS } from "../protocol/errors.ts";
import { ChannelId } from "../protocol/ids.ts";
import { Durable } from "./durable.ts";
import type { RoomLogger } from "./log.ts";
import type { Platform } from "./platform.ts";

/** Somebody comes to a room, with a token issued then. */
export const Visit = z.object({ roomId: ChannelId, issuedAt: z.number() });
export type Visit = z.infer<typeof Visit>;
/** They may; tokens issued before `notBefore` they must not use there. */
export const VisitReply = z.object({ notBefore: z.number() });
/** The rooms where they have been, and may still be. */
export const OrderReply = z.object({ rooms: z.array(ChannelId) });

export interface PersonRequest {
  url: string;
  text(): Promise<string>;
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
  readonly #now: () => number;
  readonly #log: RoomLogger;
  readonly #durable: Durable;
  #restriction: Restriction = UNRESTRICTED;
  /** When the store took in that they are banned, or are not any more. */
  #banDecidedAt = 0;
  /** When they last came to each room. */
  #visits = new Map<ChannelId, number>();
  #isAwake = false;

  constructor(platform: Pick<Platform, "storage" | "blockConcurrencyWhile">, now: () => number, log: RoomLogger) {
    this.#platform = platform;
    this.#now = now;
    this.#log = log;
    this.#durable = new Durable(platform.storage, log);
  }

  /** Nothing that is answered leaves before what it says is durable. */
  async request(request: PersonRequest): Promise<Response> {
    try {
      await this.#requireAwake();
      const verb = new URL(request.url).pathname.split("/").at(-1);
      const body: unknown = JSON.parse(await request.text());
      if (verb === "visit") return Response.json(this.#visit(Visit.parse(body)));
      if (verb === "order") return Response.json(this.#order(PersonOrder.parse(body)));
      throw new ChatError("not_found");
    } catch (error) {
      if (!(error instanceof ChatError)) this.#log.error("person_failed", error);
      const code = error instanceof ChatError ? error.code : "rooms_unavailable";
      return Response.json({ code }, { status: ERRORS[code].status });
    }
  }

  /** Forgets rooms where they have not been for long. */
  async alarm(): Promise<void> {
    try {
      this.#durable.alarmIs(undefined);
      await this.#requireAwake();
      const old = [...this.#visits].filter(([, at]) => at + VISIT_KEPT_MS <= this.#now()).map(([roomId]) => roomId);
      for (const roomId of old) this.#visits.delete(roomId);
      this.#durable.forget(old.map((roomId) => ROOM + roomId));
      if (this.#visits.size > 0) this.#durable.wakeBy(Math.min(...this.#visits.values()) + VISIT_KEPT_MS);
    } catch (error) {
      this.#log.error("alarm_failed", error);
    }
  }

  #visit({ roomId, issuedAt }: Visit): z.infer<typeof VisitReply> {
    const now = this.#now();
    requireUnrestricted(this.#restriction, issuedAt, now);
    const last = this.#visits.get(roomId);
    if (last === undefined && this.#visits.size >= VISITS_MAX) throw new ChatError("rate_limited");
    if (last === undefined || Math.abs(now - last) > VISIT_NEWS_MS) {
      this.#visits.set(roomId, now);
      this.#durable.keep({ [ROOM + roomId]: now });
      this.#durable.wakeBy(now + VISIT_KEPT_MS);
    }
    return { notBefore: this.#restriction.revokedBefore };
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
      this.#durable.alarmIs((await storage.getAlarm()) ?? undefined);
      this.#isAwake = true;
    } catch (error) {
      this.#log.error("reading_failed", error, { what: "person" });
    }
  }
}
