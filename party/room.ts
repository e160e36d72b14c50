import { MessageLimit } from "../domain/room/message-limit.ts";
import { type EventLog, toMessage } from "../domain/room/event-log.ts";
import type { RoomEvent } from "../domain/ports.ts";
import { ChatError, CLOSES, closeFor, type CloseReason } from "../protocol/errors.ts";
import { type ServerFrame, type Since } from "../protocol/frames.ts";
import type { UserId } from "../protocol/ids.ts";
import { LIMITS, TIMES } from "../protocol/limits.ts";
import {
  findOrCreateChannel,
  findStanding,
  type Knock,
  readKnock,
  type Standing,
  type UpgradeRequest,
} from "./admission.ts";
import { Attendance } from "./attendance.ts";
import type { RoomDeps } from "./deps.ts";
import { FanOut } from "./fan-out.ts";
import { FrameHandler } from "./frame-handler.ts";
import { answerRequest, type RoomRequest } from "./http.ts";
import { KEYS, KEYS_PER_CALL, readKept, readLog, type RoomHead, type RoomIdentity } from "./kept.ts";
import { Outbox } from "./outbox.ts";
import { type Connection, OPEN, type Platform } from "./platform.ts";
import { PresenceReporter } from "./presence-reporter.ts";
import { readState, save, type Session, Sessions } from "./session.ts";

/** A room that has been opened for the first time, now or in an earlier waking. */
export interface Life {
  identity: RoomIdentity;
  head: RoomHead;
}

/** The part of a room that only messages and joins need; read from storage the first time one comes after waking. */
export interface Order {
  log: EventLog;
  limit: MessageLimit;
}

/**
 * A channel's live object: its sockets, its order, who is here. The platform may put it to sleep between any two events
 * and wake it with nothing but its storage and what the sockets carry, so nothing that matters lives in memory alone.
 */
export class ChatRoom {
  readonly deps: RoomDeps;
  readonly storage: Platform["storage"];
  readonly sessions = new Sessions();
  readonly fanOut: FanOut;
  readonly attendance: Attendance;
  readonly outbox: Outbox;
  readonly #platform: Platform;
  readonly #frames: FrameHandler;
  readonly #reporter: PresenceReporter;
  life: Life | undefined;
  order: Order | undefined;
  #awake = false;
  #opening: Promise<Life> | undefined;
  #loading: Promise<void> | undefined;
  #alarmAt: number | undefined;
  #headsAt = 0;

  constructor(platform: Platform, deps: RoomDeps) {
    this.#platform = platform;
    this.deps = deps;
    this.storage = platform.storage;
    const { now, after, log } = deps;
    const keep = (entries: Record<string, unknown>) => this.keep(entries);
    const guarded = (ms: number, callback: () => void) => after(ms, () => this.#guard("timer", callback));
    this.fanOut = new FanOut(this.sessions, guarded, now, (session) => this.drop(session));
    this.#reporter = new PresenceReporter({
      board: deps.board,
      now,
      log,
      keep,
      online: () => this.attendance.roster.userIds(),
    });
    this.attendance = new Attendance({
      sessions: this.sessions,
      fanOut: this.fanOut,
      now,
      after: guarded,
      keep,
      wakeBy: (at) => this.wakeBy(at),
      seen: (userId, isHere) => this.#reporter.seen(userId, isHere),
    });
    this.outbox = new Outbox({ storage: this.storage, store: deps.store, now, log });
    this.#frames = new FrameHandler(this);
  }

  /** Wakes with what was kept. Never throws; every hook tries again where this has failed. */
  async start(): Promise<void> {
    await this.#platform.blockConcurrencyWhile(async () => {
      try {
        await this.#wake();
      } catch (error) {
        this.deps.log.error("room_wake_failed", error);
      }
    });
  }

  /** A socket has been opened: it is let in and joined at once, or told why not and closed. */
  async connect(connection: Connection, request: UpgradeRequest): Promise<void> {
    try {
      await this.#requireAwake();
      const knock = await readKnock(this.deps, request);
      const life = await this.#open(knock);
      await this.#requireOrder();
      const standing = await findStanding(this.deps, this.storage, life.identity, knock.claims.userId);
      if (connection.readyState === OPEN) this.#admit(connection, knock, standing);
    } catch (error) {
      this.#turnAway(connection, error);
    }
  }

  /** What a client sent. The promise is only there while something has to be read or verified first. */
  message(connection: Connection, message: unknown): Promise<void> | undefined {
    try {
      const session = this.sessions.find(connection);
      if (this.#awake) return session === undefined ? undefined : this.#frames.take(session, message);
      return this.#requireAwake().then(
        () => this.message(connection, message),
        () => connection.close(CLOSES.internal, "internal"),
      );
    } catch (error) {
      this.deps.log.error("message_failed", error);
      return undefined;
    }
  }

  /** A socket is gone. May be told twice, and for a socket this room has ended itself. */
  close(connection: Connection): void {
    this.#guard("close", () => {
      const state = readState(connection);
      const session = this.sessions.find(connection);
      if (session !== undefined) this.drop(session);
      // The room slept, and this very close woke it: the socket is not among the live ones any more.
      else if (state?.present === true) this.attendance.departUnseen({ connection, state });
      if (connection.readyState <= CLOSING) connection.close(1000);
    });
  }

  /** Does everything that is due, and sees to the next waking. Never throws. */
  async alarm(): Promise<void> {
    this.#alarmAt = undefined;
    try {
      await this.#requireAwake();
      const now = this.deps.now();
      this.#guard("overdue sockets", () => this.#endOverdue(now));
      this.#guard("attendance", () => this.attendance.tell());
      this.#guard("heads", () => this.#sendHeads(now));
      this.#guard("prune", () => this.#prune(now));
      this.#later(this.outbox.flush());
      this.#later(this.#reporter.report());
      this.#schedule();
    } catch (error) {
      this.deps.log.error("alarm_failed", error);
      this.wakeBy(this.deps.now() + ALARM_RETRY_MS);
    }
  }

  /** Answers our own Worker, and nobody else. */
  async request(request: RoomRequest): Promise<Response> {
    try {
      await this.#requireAwake();
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

  /** Lets a socket into the room, which it may have left before: what it missed, then everything live. */
  join(session: Session, since: Since | undefined): void {
    const { state } = session;
    const { identity } = this.requireLife();
    const { log } = this.requireOrder();
    const missed = since === undefined ? undefined : log.after(since);
    if (!state.present) this.attendance.arrive(session);
    state.joined = true;
    save(session);
    this.tell(session, {
      type: "room_joined",
      roomId: identity.channelId,
      memberCount: this.attendance.roster.size,
      members: this.attendance.roster.listFor(state.userId),
      epoch: log.epoch,
      seq: log.head,
      messages: (missed ?? log.latest()).map((event) => toMessage(event, identity.channelId, state.userId)),
      recovered: missed !== undefined,
    });
    this.#headsAt ||= this.deps.now() + TIMES.headsMs;
    this.#schedule();
  }

  /** Takes a socket out of the room; it stays open. */
  leave(session: Session): void {
    this.attendance.depart(session, 0);
    session.state.joined = false;
    save(session);
    this.tell(session, { type: "room_left", roomId: this.requireLife().identity.channelId });
  }

  /** Keeps an event for good: in storage first, so that nobody is told of what is not kept. */
  append(event: RoomEvent): void {
    const { log, limit } = this.requireOrder();
    const life = this.requireLife();
    const head = { seq: event.seq, at: event.at };
    this.keep({ [KEYS.head]: head, [KEYS.event(event.seq)]: event });
    log.append(event);
    limit.note(event.userId, event.at);
    life.head = head;
    this.outbox.eventKept(event.seq);
    this.#wakeForOutbox();
  }

  /** Ends a socket with a code that tells its client whether to come back. */
  end(session: Session, reason: CloseReason): void {
    this.fanOut.flush();
    this.drop(session);
    session.connection.close(CLOSES[reason], reason);
    this.deps.log.note("socket_ended", { userId: session.state.userId, reason });
  }

  /** Forgets a socket that is gone. */
  drop(session: Session): void {
    if (!this.sessions.remove(session)) return;
    this.attendance.depart(session);
    session.state.joined = false;
    this.#guard("attachment", () => save(session));
    this.#schedule();
  }

  /** Writes together what belongs together; `undefined` deletes. Nothing that is sent leaves before it is durable. */
  keep(entries: Record<string, unknown>): void {
    const puts = Object.entries(entries).filter(([, value]) => value !== undefined);
    const gone = Object.keys(entries).filter((key) => entries[key] === undefined);
    if (puts.length > 0) this.#owned(this.storage.put(Object.fromEntries(puts)));
    if (gone.length > 0) this.#owned(this.storage.delete(gone));
  }

  /** Makes sure there is an alarm no later than `at`. */
  wakeBy(at: number): void {
    if (this.#alarmAt !== undefined && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    this.#owned(this.storage.setAlarm(at));
  }

  /** Reads the order from storage if it has not been since waking; undefined when it is there. */
  loadOrder(): Promise<void> | undefined {
    if (this.order !== undefined || this.life === undefined) return undefined;
    this.#loading ??= this.#platform
      .blockConcurrencyWhile(() => this.#readOrder())
      .finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  requireLife(): Life {
    if (this.life === undefined) throw new ChatError("rooms_unavailable");
    return this.life;
  }

  requireOrder(): Order {
    if (this.order === undefined) throw new ChatError("storage_unavailable");
    return this.order;
  }

  async #requireAwake(): Promise<void> {
    if (!this.#awake) await this.start();
    if (!this.#awake) throw new ChatError("storage_unavailable");
  }

  async #wake(): Promise<void> {
    if (this.#awake) return;
    const kept = await readKept(this.storage);
    this.#alarmAt = kept.alarmAt;
    if (kept.identity !== undefined) {
      // No alarm is set while one is being run: then it may well be the heads that are due.
      this.#headsAt = kept.alarmAt ?? this.deps.now();
      this.#live({ identity: kept.identity, head: kept.head });
      this.outbox.resume(kept);
      this.#reporter.resume(kept.identity, kept.boardAt);
      this.sessions.restore(this.#platform.getConnections());
      this.attendance.restore(kept.identity.channelId, kept.away);
      this.#schedule();
    }
    this.#awake = true;
  }

  /** The room's first life asks Postgres which channel this is; later ones know. */
  async #open(knock: Knock): Promise<Life> {
    const life =
      this.life ?? (await (this.#opening ??= this.#create(knock).finally(() => (this.#opening = undefined))));
    if (life.identity.app !== knock.app || life.identity.channelId !== knock.channelId)
      throw new ChatError("room_not_found");
    return life;
  }

  async #create(knock: Knock): Promise<Life> {
    const channel = await findOrCreateChannel(this.deps, knock, knock.claims.userId);
    // A room that has lost its storage goes on where history ends, in an order of its own: clients see the new epoch.
    const epoch = this.deps.newId().replaceAll("-", "").slice(0, 16);
    const older = await this.#readHistoryEnd(knock, channel.headSeq);
    const head = { seq: channel.headSeq, at: older.at(-1)?.at ?? 0 };
    const identity = { app: knock.app, channelId: knock.channelId, type: channel.type, epoch };
    const outbox = { storedSeq: head.seq, failures: 0, nextTryAt: 0 };
    this.keep({
      [KEYS.identity]: identity,
      [KEYS.head]: head,
      [KEYS.outbox]: outbox,
      ...Object.fromEntries(older.map((event) => [KEYS.event(event.seq), event])),
    });
    this.outbox.resume({ identity, head, outbox, due: new Map() });
    this.#reporter.begin(identity);
    this.deps.log.note("room_opened", { roomId: knock.channelId, seq: head.seq });
    return this.#live({ identity, head });
  }

  async #readHistoryEnd({ app, channelId }: Knock, headSeq: number): Promise<RoomEvent[]> {
    if (headSeq === 0) return [];
    const events = await this.deps.store.listEvents(app, channelId, { limit: LIMITS.historyDefault });
    // Only the unbroken run up to the head: a row that history never took leaves a hole.
    const from = events.findLastIndex((event, at) => at > 0 && event.seq !== (events[at - 1]?.seq ?? 0) + 1);
    return events.at(-1)?.seq === headSeq ? events.slice(Math.max(0, from)) : [];
  }

  #live(life: Life): Life {
    this.life = life;
    this.attendance.open(life.identity.channelId);
    return life;
  }

  async #requireOrder(): Promise<void> {
    await this.loadOrder();
    this.requireOrder();
  }

  async #readOrder(): Promise<void> {
    const { identity, head } = this.requireLife();
    const { RATE_LIMIT_MAX_MESSAGES: max, RATE_LIMIT_WINDOW_MS: windowMs } = this.deps.settings;
    const limit = new MessageLimit({ max, windowMs });
    const recently = this.deps.now() - windowMs;
    const log = await readLog(this.storage, identity, head, ({ userId, at }) => {
      if (at > recently) limit.note(userId, at);
    });
    if (log.head !== head.seq) throw new Error(`The log ends at ${log.head} and not at ${head.seq}`);
    this.order = { log, limit };
  }

  #admit(connection: Connection, knock: Knock, { known, joins, readSeq }: Standing): void {
    const { userId, app, expiresAt } = knock.claims;
    const now = this.deps.now();
    this.#makeRoomFor(userId);
    const session = this.sessions.add(connection, {
      userId,
      app,
      username: knock.username,
      openedAt: now,
      expiresAt,
      lines: knock.lines,
      joined: false,
      announced: false,
      present: false,
      heardAt: now,
      keepsAlive: false,
      typingUntil: 0,
      readSeq,
      receivedSeq: 0,
      strikes: 0,
      lastStrikeAt: 0,
    });
    this.fanOut.admit(session);
    this.tell(session, this.#welcome(session));
    if (!known) this.keep({ [KEYS.member(userId)]: true });
    if (joins) this.outbox.memberJoined(userId);
    this.join(session, knock.since);
    this.deps.log.note("socket_opened", { userId, roomId: knock.channelId, sockets: this.sessions.size });
  }

  #welcome({ connection, state }: Session): ServerFrame {
    const { MAX_MESSAGE_LENGTH, RATE_LIMIT_MAX_MESSAGES, RATE_LIMIT_WINDOW_MS } = this.deps.settings;
    return {
      type: "welcome",
      connectionId: connection.id,
      userId: state.userId,
      serverTime: new Date(this.deps.now()).toISOString(),
      limits: {
        messageMaxLength: MAX_MESSAGE_LENGTH,
        messageMaxBytes: LIMITS.messageMaxBytes,
        frameMaxBytes: LIMITS.frameMaxBytes,
        messagesPerWindow: RATE_LIMIT_MAX_MESSAGES,
        windowMs: RATE_LIMIT_WINDOW_MS,
      },
      expiresAt: new Date(state.expiresAt).toISOString(),
    };
  }

  /** The oldest of a user's sockets makes room for a new one. */
  #makeRoomFor(userId: UserId): void {
    const own = [...this.sessions.of(userId)].toSorted((one, other) => one.state.openedAt - other.state.openedAt);
    for (const session of own.slice(0, Math.max(0, own.length - LIMITS.socketsPerUserPerRoom + 1)))
      this.end(session, "connection_limit");
  }

  #turnAway(connection: Connection, error: unknown): void {
    const reason = error instanceof ChatError ? turnedAwayWith(error) : "internal";
    if (!(error instanceof ChatError)) this.deps.log.error("connect_failed", error);
    this.deps.log.note("socket_refused", { reason });
    this.#guard("refusal", () => connection.close(CLOSES[reason], reason));
  }

  #endOverdue(now: number): void {
    for (const session of this.sessions) {
      const { state } = session;
      if (state.expiresAt + TIMES.expiryGraceMs <= now) this.end(session, "token_expired");
      else if (state.heardAt + TIMES.deadSocketMs > now) continue;
      else if (state.keepsAlive) this.end(session, "resync");
      else if (state.present) this.#fadeOut(session);
    }
  }

  // A client that has never sent a ping may be alive and only listening: it keeps its socket, and is shown as gone.
  #fadeOut(session: Session): void {
    this.attendance.depart(session, 0);
    save(session);
  }

  #sendHeads(now: number): void {
    if (this.life === undefined || now < this.#headsAt) return;
    const { identity, head } = this.life;
    this.fanOut.toAll(
      JSON.stringify({ type: "heads", rooms: { [identity.channelId]: head.seq } } satisfies ServerFrame),
    );
    this.#headsAt = now + TIMES.headsMs;
  }

  #prune(now: number): void {
    if (this.order === undefined) return;
    const { log, limit } = this.order;
    limit.forget(now);
    const last = log.prunable(this.outbox.storedSeq, now);
    if (last === undefined) return;
    const keys: string[] = [];
    for (let seq = log.first; seq <= last; seq++) keys.push(KEYS.event(seq));
    for (let at = 0; at < keys.length; at += KEYS_PER_CALL)
      this.#owned(this.storage.delete(keys.slice(at, at + KEYS_PER_CALL)));
    log.prune(last);
  }

  #wakeForOutbox(): void {
    const at = this.outbox.nextAt();
    if (at !== undefined) this.wakeBy(at);
  }

  /** Sets the alarm for whatever comes first. */
  #schedule(): void {
    const now = this.deps.now();
    let next = Math.min(
      this.outbox.nextAt() ?? Infinity,
      this.attendance.nextAt() ?? Infinity,
      this.#reporter.nextAt() ?? Infinity,
    );
    for (const { state } of this.sessions) {
      next = Math.min(next, state.expiresAt + TIMES.expiryGraceMs);
      if (state.keepsAlive || state.present) next = Math.min(next, state.heardAt + TIMES.deadSocketMs);
      if (state.joined) next = Math.min(next, this.#headsAt);
    }
    if (next < Infinity) this.wakeBy(Math.max(next, now));
  }

  /** Work that goes on after its hook: what comes of it may be due earlier than the next alarm. */
  #later(work: Promise<void>): void {
    work.then(() => this.#schedule()).catch((error: unknown) => this.deps.log.error("schedule_failed", error));
  }

  #guard(what: string, callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.deps.log.error("hook_failed", error, { what });
    }
  }

  // Nothing waits for these writes: when one fails the runtime discards what was to be sent, and resets the object.
  #owned(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.deps.log.error("storage_failed", error));
  }
}

const CLOSING = 2;
const ALARM_RETRY_MS = 5_000;

function turnedAwayWith(error: ChatError): CloseReason {
  return closeFor(error.code);
}
