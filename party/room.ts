import { SteadyClock } from "../domain/steady-clock.ts";
import { ChatError, CLOSES, type CloseReason } from "../protocol/errors.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import type { UserId } from "../protocol/ids.ts";
import type { UpgradeRequest } from "./admission.ts";
import { Attendance } from "./attendance.ts";
import { Bursts } from "./bursts.ts";
import type { RoomDeps } from "./deps.ts";
import { Door } from "./door.ts";
import { Durable } from "./durable.ts";
import { Duties } from "./duties.ts";
import { FanOut, type FanOutDeps } from "./fan-out.ts";
import type { FirstLife } from "./first-life.ts";
import { FrameHandler } from "./frame-handler.ts";
import { answerRequest, type RoomRequest } from "./http.ts";
import { KEYS, type Life, readKept } from "./kept.ts";
import { Messages } from "./messages.ts";
import { Moderation } from "./moderation.ts";
import { type Order, readOrder } from "./order.ts";
import { Orders } from "./orders.ts";
import { Outbox } from "./outbox.ts";
import { CLOSING, type Connection, type Platform } from "./platform.ts";
import { PresenceReporter } from "./presence-reporter.ts";
import { Readers } from "./readers.ts";
import { RefusalLog } from "./refusal-log.ts";
import { readState, save, type Session, Sessions } from "./session.ts";

const ALARM_RETRY_MS = 5_000;

/**
 * A channel's live object: its sockets, its order, who is here. The platform may put it to sleep between any two events
 * and wake it with nothing but its storage and what the sockets carry, so nothing that matters lives in memory alone.
 * Parts that reach others (the door, messages, readers, orders, duties) are handed the room and find them by it.
 *
 * Hooks (`start`, `connect`, `message`, `close`, `alarm`, `request`) never throw.
 */
export class ChatRoom {
  readonly deps: RoomDeps;
  readonly durable: Durable;
  readonly sessions = new Sessions();
  readonly fanOut: FanOut;
  readonly readers: Readers;
  readonly attendance: Attendance;
  readonly outbox: Outbox;
  readonly door: Door;
  readonly messages: Messages;
  readonly orders: Orders;
  readonly moderation: Moderation;
  readonly clock: SteadyClock;
  readonly refusalLog: RefusalLog;
  life: Life | undefined;
  order: Order | undefined;
  readonly #platform: Platform;
  readonly #frames: FrameHandler;
  readonly #reporter: PresenceReporter;
  readonly duties: Duties;
  readonly #bursts: Bursts;
  #isAwake = false;
  #loading: Promise<void> | undefined;

  constructor(platform: Platform, deps: RoomDeps) {
    const { log, board, store, vocabulary } = deps;
    this.clock = new SteadyClock(deps.now);
    const { now } = this.clock;
    const { sessions } = this;
    const after = (ms: number, callback: () => void) => deps.after(ms, () => this.#guard("timer", callback));
    const durable = new Durable(platform.storage, log, this.clock);
    const online = () => this.attendance.roster.userIds();
    this.#platform = platform;
    this.deps = deps;
    this.durable = durable;
    this.readers = new Readers(this);
    const lost = (session: Session) => this.#bursts.lost(session);
    const stop: FanOutDeps["stop"] = (session, sentSeq, since) => this.readers.stop(session, sentSeq, since);
    // Not while the frame that was too much is still on its way to the others.
    const deaf = (session: Session) => after(0, () => this.end(session, "slow_consumer"));
    this.fanOut = new FanOut({ sessions, after, now, lost, stop, deaf });
    this.#reporter = new PresenceReporter({ board, now, wall: deps.now, log, durable, online });
    this.attendance = new Attendance({ sessions, fanOut: this.fanOut, now, after, durable, reporter: this.#reporter });
    this.outbox = new Outbox({ durable, store, now, log });
    this.refusalLog = new RefusalLog({ durable, outbox: this.outbox, now, newId: () => deps.newId() });
    this.moderation = new Moderation({ vocabulary, store, durable, now, log });
    this.door = new Door(this);
    this.messages = new Messages(this);
    this.orders = new Orders(this);
    this.#frames = new FrameHandler(this);
    this.#bursts = new Bursts({
      listeners: () => sessions.singles.size,
      after,
      now,
      take: (session, message) => this.#take(session, message),
      together: (callback) => this.messages.together(callback),
      drop: (session) => this.drop(session),
    });
    this.duties = new Duties(this, this.#reporter);
  }

  /** Wakes with what was kept; every hook tries again where this has failed. */
  async start(): Promise<void> {
    await this.#blocking("wake", () => this.#wake());
  }

  /** A socket has been opened: it is let in and joined at once, or told why not and closed. */
  connect(connection: Connection, request: UpgradeRequest): Promise<void> {
    return this.door.open(connection, request);
  }

  /** What a client sent. The promise is only there while something has to be read or verified first. */
  message(connection: Connection, message: unknown): Promise<void> | undefined {
    if (!this.#isAwake)
      return this.requireAwake().then(
        () => this.message(connection, message),
        () => connection.close(CLOSES.internal, "internal"),
      );
    this.#mindAlarm();
    const session = this.sessions.find(connection);
    if (session === undefined) return undefined;
    return this.#bursts.take(session, message);
  }

  /** A socket is gone. May be told twice, and for a socket this room has ended itself. */
  close(connection: Connection): void {
    this.#guard("close", () => {
      this.#bursts.drain();
      const session = this.sessions.find(connection);
      const state = readState(connection);
      if (session !== undefined) this.drop(session);
      else if (state?.present === true)
        this.attendance.departUnseen({ connection, state, savedSeq: 0, unheardChars: 0 });
      if (connection.readyState <= CLOSING) connection.close(1000);
    });
  }

  /** Does everything that is due, and sees to the next waking. */
  async alarm(): Promise<void> {
    this.durable.alarmIs(undefined);
    try {
      await this.requireAwake();
      this.#guard("overdue", () => this.duties.endOverdue());
      this.#guard("attendance", () => this.attendance.tellDue());
      this.#guard("heads", () => this.duties.sendHeads());
      this.#guard("prune", () => this.duties.prune());
      this.#guard("pages", () => this.readers.forgetPages());
      this.#guard("refusals", () => this.refusalLog.settle());
      this.#inBackground(this.outbox.flush());
      this.#inBackground(this.#reporter.report());
      this.duties.schedule();
    } catch (error) {
      this.deps.log.error("alarm_failed", error);
      this.durable.wakeBy(this.clock.now() + ALARM_RETRY_MS);
    }
  }

  /** Answers our own Worker, and nobody else. */
  async request(request: RoomRequest): Promise<Response> {
    try {
      await this.requireAwake();
      return await answerRequest(this, request);
    } catch (error) {
      this.deps.log.error("request_failed", error);
      return Response.json({ code: "rooms_unavailable" }, { status: 503 });
    }
  }

  /** Sends one frame to one socket. */
  tell(session: Session, frame: ServerFrame): void {
    this.fanOut.toOne(session, JSON.stringify(frame));
  }

  /** Keeps how far somebody has read, here and in history. */
  keepReadMark(userId: UserId, seq: number): void {
    this.durable.keep({ [KEYS.read(userId)]: seq });
    this.outbox.markRead(userId, seq);
  }

  /** Ends a socket with a code that tells its client whether to come back. */
  end(session: Session, reason: CloseReason, detail?: string): void {
    this.fanOut.flush();
    this.drop(session);
    session.connection.close(CLOSES[reason], detail === undefined ? reason : `${reason}: ${detail}`);
    this.deps.log.note("socket_ended", { userId: session.state.userId, reason });
  }

  /** Forgets a socket that is gone. */
  drop(session: Session): void {
    if (!this.sessions.remove(session)) return;
    this.attendance.depart(session);
    session.state.joined = false;
    save(session);
  }

  /** Reads the order from storage if it has not been since waking; undefined when it is there. */
  loadOrder(): Promise<void> | undefined {
    const { life } = this;
    if (this.order !== undefined || life === undefined) return undefined;
    const read = async () => {
      await this.moderation.load(life.identity);
      this.order = await readOrder(this.deps, this.clock.now, this.durable.storage, life);
      const { log } = this.order;
      // What is in the log was acked, also if its head could not be written any more.
      if (log.head > life.head.seq) this.outbox.headIs((life.head = log.newest).seq);
      this.duties.prune(); // a room that sleeps again at once has no other time for it
    };
    this.#loading ??= this.#blocking("order", read).finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  /** The room's first life: written down whole before anything happens in it. */
  begin({ identity, head, outbox, entries }: FirstLife): Life {
    this.durable.keep(entries);
    this.life = { identity, head };
    this.outbox.resume(this.life, { outbox });
    this.#reporter.begin(identity);
    this.attendance.resume(identity.channelId);
    this.deps.log.note("room_opened", { roomId: identity.channelId, seq: head.seq });
    return this.life;
  }

  /** @throws {ChatError} `storage_unavailable` when what was kept cannot be read */
  async requireAwake(): Promise<void> {
    if (!this.#isAwake) await this.start();
    if (!this.#isAwake) throw new ChatError("storage_unavailable");
    this.#mindAlarm();
  }

  requireLife(): Life {
    if (this.life === undefined) throw new ChatError("rooms_unavailable");
    return this.life;
  }

  requireOrder(): Order {
    if (this.order === undefined) throw new ChatError("storage_unavailable");
    return this.order;
  }

  async #wake(): Promise<void> {
    if (this.#isAwake) return;
    const kept = await readKept(this.durable.storage);
    const now = this.clock.now();
    this.durable.alarmIs(kept.alarmAt);
    if (kept.identity !== undefined) {
      this.life = { identity: kept.identity, head: kept.head };
      this.duties.resume(kept.alarmAt);
      this.outbox.resume(this.life, kept);
      this.refusalLog.resume(kept.refusals);
      this.#reporter.resume(kept.identity, kept.boardAt);
      this.sessions.restore(this.#platform.getConnections(), now);
      this.attendance.resume(kept.identity.channelId, kept.away);
      this.duties.schedule();
      this.deps.log.note("room_woke", { roomId: kept.identity.channelId, sockets: this.sessions.size });
    }
    this.#isAwake = true;
  }

  /** Sets the alarm anew when there is none to count on: it was lost, or the clock has been set back since. */
  #mindAlarm(): void {
    if (!this.clock.takeSetBack() && !this.durable.hasLostAlarm(this.clock.now())) return;
    this.durable.alarmIs(undefined);
    this.duties.schedule();
  }

  #take(session: Session, message: unknown): Promise<void> | undefined {
    const work = this.#guard("message", () => this.#frames.take(session, message));
    return work?.catch((error: unknown) => this.deps.log.error("message_failed", error));
  }

  /** Work that outlives its hook: what comes of it may be due earlier than the next alarm. */
  #inBackground(work: Promise<void>): void {
    work.then(() => this.duties.schedule()).catch((error: unknown) => this.deps.log.error("schedule_failed", error));
  }

  /** Reads while nothing else happens to the room. What is thrown in there would reset the object. */
  async #blocking(what: string, callback: () => Promise<void>): Promise<void> {
    await this.#platform.blockConcurrencyWhile(async () => {
      try {
        await callback();
      } catch (error) {
        this.deps.log.error("reading_failed", error, { what });
      }
    });
  }

  #guard<Result>(what: string, callback: () => Result): Result | undefined {
    try {
      return callback();
    } catch (error) {
      this.deps.log.error("hook_failed", error, { what });
      return undefined;
    }
  }
}
