import { toMessage } from "../domain/message.ts";
import { TokenBucket } from "../domain/token-bucket.ts";
import { welcomeFrame } from "../domain/welcome.ts";
import { ChatError, CLOSES, closeFor, type ErrorCode, ERRORS } from "../protocol/errors.ts";
import type { Since } from "../protocol/frames.ts";
import { LIMITS } from "../protocol/limits.ts";
import { findStanding, type Knock, readKnock, type Standing, type UpgradeRequest } from "./admission.ts";
import { beginLife } from "./first-life.ts";
import { KEYS, type Life } from "./kept.ts";
import { type Connection, OPEN } from "./platform.ts";
import type { ChatRoom } from "./room.ts";
import { newState, save, type Session } from "./session.ts";

const JOINS = { burst: 20, everyMs: 1_000 };

/** The way into a room and out of it again. */
export class Door {
  readonly #room: ChatRoom;
  readonly #joins = new WeakMap<Session, TokenBucket>();
  #opening: Promise<Life> | undefined;

  constructor(room: ChatRoom) {
    this.#room = room;
  }

  /** Lets a socket in and joins it at once, or tells it why not and closes it. Never rejects. */
  async open(connection: Connection, request: UpgradeRequest): Promise<void> {
    try {
      const { orders } = this.#room;
      const seen = orders.count;
      const { knock, standing } = await this.#receive(request);
      // What was found on the way may not hold any more; whoever comes back is judged anew.
      if (orders.cameFor(knock.claims.userId, seen)) throw new ChatError("rooms_unavailable");
      // No await from here on: what is missed and what is live join without a hole.
      if (connection.readyState === OPEN) this.#admit(connection, knock, standing);
    } catch (error) {
      this.#turnAway(connection, error);
    }
  }

  /**
   * Whether whoever asks would be let in.
   *
   * @throws {ChatError} what `open` would close the socket for
   */
  async requireAdmission(request: UpgradeRequest): Promise<void> {
    await this.#receive(request);
  }

  /**
   * The same for a socket that asks. Each answer may carry a whole page of the log.
   *
   * @throws {ChatError} `rate_limited`
   */
  joinAgain(session: Session, since: Since | undefined): void {
    const bucket = this.#joins.get(session) ?? new TokenBucket(JOINS, this.#room.clock.now);
    this.#joins.set(session, bucket);
    const retryAfterMs = bucket.take();
    if (retryAfterMs !== undefined) throw new ChatError("rate_limited", { retryAfterMs });
    this.join(session, since);
  }

  /** Lets a socket into the room, which it may have left before: first what it missed, then everything live. */
  join(session: Session, since: Since | undefined): void {
    const { state } = session;
    const { channelId: roomId } = this.#room.requireLife().identity;
    const { log } = this.#room.requireOrder();
    const { attendance } = this.#room;
    const missed = since === undefined ? undefined : log.after(since);
    this.#room.fanOut.admit(session);
    this.#room.readers.begin(session, log.head);
    state.joined = true;
    if (!state.present) attendance.arrive(session);
    save(session);
    this.#room.tell(session, {
      type: "room_joined",
      roomId,
      memberCount: attendance.roster.size,
      members: attendance.roster.listFor(state.userId),
      epoch: log.epoch,
      seq: log.head,
      messages: (missed ?? log.latest()).map((event) => toMessage(event, roomId, state.userId)),
      recovered: missed !== undefined,
    });
    // How far they have read elsewhere: history, and so HTTP, may learn of it only in a moment.
    if (state.readSeq > 0) this.#room.tell(session, { type: "read", roomId, userId: state.userId, seq: state.readSeq });
    this.#room.duties.joined(session);
  }

  /** Takes a socket out of the room; it stays open. */
  leave(session: Session): void {
    this.#room.fanOut.part(session);
    this.#room.attendance.depart(session, 0);
    session.state.joined = false;
    session.state.behind = undefined;
    save(session);
    this.#room.tell(session, { type: "room_left", roomId: this.#room.requireLife().identity.channelId });
  }

  /** Everything that can refuse a socket, and all the waiting before it joins. */
  async #receive(request: UpgradeRequest): Promise<{ knock: Knock; standing: Standing }> {
    const { deps, durable } = this.#room;
    await this.#room.requireAwake();
    const guest = await readKnock(deps, request);
    const { identity } = await this.#requireLife(guest);
    await this.#room.loadOrder();
    await this.#room.moderation.ready();
    const knock = { ...guest, username: this.#room.moderation.filter().showName(guest.username) };
    try {
      return { knock, standing: await findStanding(deps, durable.storage, identity, knock.claims) };
    } catch (error) {
      if (error instanceof ChatError && isRefusal(error.code)) this.#noteRefused(knock, error.code);
      throw error;
    }
  }

  #noteRefused({ claims: { userId }, channelId }: Knock, code: ErrorCode): void {
    this.#room.refusalLog.note({ action: "request.refuse", userId, channelId, code, requestId: null });
  }

  async #requireLife(knock: Knock): Promise<Life> {
    const life = this.#room.life ?? (await (this.#opening ??= this.#begin(knock)));
    const { app, channelId } = life.identity;
    if (app !== knock.app || channelId !== knock.channelId) throw new ChatError("room_not_found");
    return life;
  }

  async #begin(knock: Knock): Promise<Life> {
    const { orders } = this.#room;
    const seen = orders.count;
    try {
      const first = await beginLife(this.#room.deps, knock, knock.claims.userId);
      if (orders.count !== seen) throw new ChatError("rooms_unavailable"); // the bans it found may be out of date
      return this.#room.begin(first);
    } finally {
      this.#opening = undefined;
    }
  }

  #admit(connection: Connection, knock: Knock, standing: Standing): void {
    const { deps, sessions, fanOut, durable, outbox } = this.#room;
    const { userId, expiresAt } = knock.claims;
    const now = deps.now();
    this.#limitSockets(knock);
    const session = sessions.add(connection, newState(knock, standing, this.#room.clock.now()));
    fanOut.admit(session);
    this.#room.tell(session, welcomeFrame(deps.settings, { connectionId: connection.id, userId, expiresAt }, now));
    if (!standing.known) durable.keep({ [KEYS.member(userId)]: true });
    // What was said before somebody became a member is not unread. Whether they are one already only history knows.
    if (standing.joins)
      outbox.memberJoined(userId, { readSeq: this.#room.requireLife().head.seq, at: now, requestId: connection.id });
    this.join(session, knock.since);
    deps.log.note("socket_opened", { userId, roomId: knock.channelId, sockets: sessions.size });
  }

  #turnAway(connection: Connection, error: unknown): void {
    const { log } = this.#room.deps;
    if (!(error instanceof ChatError)) log.error("connect_failed", error);
    const reason = error instanceof ChatError ? closeFor(error.code) : "internal";
    log.note("socket_refused", { reason });
    try {
      connection.close(CLOSES[reason], reason);
    } catch (closing) {
      log.error("refusal_failed", closing);
    }
  }

  /** The oldest of a user's sockets makes room for a new one. */
  #limitSockets({ claims }: Knock): void {
    const own = [...this.#room.sessions.of(claims.userId)].toSorted(
      (one, other) => one.state.openedAt - other.state.openedAt,
    );
    for (const session of own.slice(0, Math.max(0, own.length - LIMITS.socketsPerUserPerRoom + 1)))
      this.#room.end(session, "connection_limit");
  }
}

/** Of somebody who is known: anything else is no decision about them. */
function isRefusal(code: ErrorCode): boolean {
  return ERRORS[code].status === 403 || code === "token_revoked";
}
