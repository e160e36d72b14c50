import { createTokenKeys, signChatToken, type TokenKind, verifyChatToken } from "../../domain/chat-tokens.ts";
import type { RoomOrder } from "../../domain/orders.ts";
import english from "../../db/moderation/english.json" with { type: "json" };
import { createVocabulary, type Vocabulary } from "../../domain/moderation/vocabulary.ts";
import type { Store } from "../../domain/ports/store.ts";
import type { RoomDeps, RoomSettings } from "../../party/deps.ts";
import { createRoomLogger } from "../../party/log.ts";
import { ChatRoom } from "../../party/room.ts";
import { AppId, ChannelId, UserId } from "../../protocol/ids.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { Client } from "./client.ts";
import { FakeConnection, FakePlatform } from "./fake-platform.ts";

const SECRET = "kD8s0Qz3vN5xR7tY2uW4eB6mJ9pL1aC0";
/** The keys of the chat tokens that rooms here take. */
export const ROOM_KEYS = await createTokenKeys("https://chat.test", SECRET);
let vocabulary: Vocabulary | undefined;
const START = Date.parse("2026-03-01T12:00:00.000Z");

export interface WorldOptions {
  channelId?: string;
  settings?: Partial<RoomSettings>;
  /** The room is put to sleep before everything that happens to it. */
  sleepy?: boolean;
  store?: Store;
  /** Whether the deployment has asked for a content filter. */
  moderation?: boolean;
}

export interface KnockOptions {
  name?: string;
  app?: string;
  lines?: boolean;
  since?: string;
  /** What the edge says of revoked tokens. */
  notBefore?: number;
  kind?: TokenKind;
  lifeMs?: number;
  token?: string;
}

/** What a room may do at one point of time before it is taken to go round in circles. */
const TURNS_MAX = 1_000;

/** A room's order as tests write it. */
type GivenOrder = RoomOrder extends infer Order
  ? Order extends RoomOrder
    ? Omit<Order, "userId" | "requestId"> & { userId: string }
    : never
  : never;

/** A room, its platform and its surroundings, all in this process and on a clock that only moves when told. */
export class World {
  readonly app = AppId.parse("demo");
  readonly channelId: ChannelId;
  readonly platform = new FakePlatform();
  readonly store: Store;
  readonly reports: { online: string[]; offline: string[] }[] = [];
  readonly logged: string[] = [];
  readonly deps: RoomDeps;
  room: ChatRoom;
  now = START;
  boardIsDown = false;
  #timers: { at: number; callback: () => void }[] = [];
  #ids = 0;
  #last: Promise<void> = Promise.resolve();
  readonly #sleepy: boolean;

  constructor({ channelId = "lobby", settings = {}, sleepy = false, store, moderation = false }: WorldOptions = {}) {
    this.channelId = ChannelId.parse(channelId);
    this.#sleepy = sleepy;
    this.store = store ?? createMemoryStore(() => new Date(this.now));
    const board: RoomDeps["board"] = {
      reportPresence: async (_app, _id, { online, offline }) => {
        if (this.boardIsDown) throw new Error("Redis is away");
        this.reports.push({ online: [...online], offline: [...offline] });
      },
    };
    const worldId = crypto.randomUUID().slice(0, 8);
    this.deps = {
      settings: {
        ROOMS_AUTO_CREATE: false,
        RATE_LIMIT_WINDOW_MS: 60_000,
        RATE_LIMIT_MAX_MESSAGES: 30,
        MAX_MESSAGE_LENGTH: 1_000,
        ...settings,
      },
      store: this.#gated(),
      board,
      vocabulary: moderation ? (vocabulary ??= createVocabulary(english)) : undefined,
      verify: (kind, token) => verifyChatToken(ROOM_KEYS, kind, token, this.now),
      now: () => this.now,
      after: (ms, callback) => void this.#timers.push({ at: this.now + ms, callback }),
      newId: () => `${worldId}-${String(++this.#ids).padStart(6, "0")}`,
      log: createRoomLogger(true, (line) => void this.logged.push(line)),
    };
    this.room = new ChatRoom(this.platform.open(), this.deps);
  }

  async token(
    user: string,
    { app = "demo", name, kind = "ws", lifeMs = 3_600_000 }: KnockOptions = {},
  ): Promise<string> {
    const userId = UserId.parse(user);
    const times = { issuedAt: Math.min(this.now, this.now + lifeMs - 1_000), expiresAt: this.now + lifeMs };
    return signChatToken(ROOM_KEYS, kind, { userId, app: AppId.parse(app), name, ...times });
  }

  /** Opens a socket; the room has answered when this resolves. */
  async connect(user: string, options: KnockOptions = {}): Promise<Client> {
    const connection = new FakeConnection(crypto.randomUUID(), this.platform.storage.gate);
    this.platform.connections.add(connection);
    const client = new Client(this, user, connection);
    const headers = new Headers({
      authorization: `Bearer ${options.token ?? (await this.token(user, options))}`,
      "sec-websocket-protocol": options.lines === true ? "chat.v1.lines" : "chat.v1",
      ...(options.since !== undefined && { "x-parley-since": options.since }),
      ...(options.notBefore !== undefined && { "x-parley-not-before": String(options.notBefore) }),
    });
    connection.onClosed = () => void this.#closed(connection);
    const url = `http://rooms.test/parties/main/${this.app}:${this.channelId}/?_pk=${connection.id}`;
    await this.#event(() => this.room.connect(connection, { url, headers }));
    return client;
  }

  /** So many sockets of as many people, `user-0` and on, that take lines. */
  async crowd(size: number): Promise<Client[]> {
    const clients = [];
    for (let at = 0; at < size; at++) clients.push(await this.connect(`user-${at}`, { lines: true }));
    return clients;
  }

  /** Hands a client's WebSocket message to the room. */
  async deliver(connection: FakeConnection, message: unknown): Promise<void> {
    if (connection.readyState !== 1) return;
    await this.#event(() => this.room.message(connection, message));
  }

  /** The client's side is gone, and the room is told. */
  async goAway(connection: FakeConnection, code?: number): Promise<void> {
    await this.#event(
      () => this.room.close(connection),
      () => {
        connection.goAway(code);
        this.platform.connections.delete(connection);
      },
    );
  }

  async request(verb: string, token?: string, method = "GET", body?: unknown): Promise<Response> {
    const headers = new Headers(token === undefined ? {} : { authorization: `Bearer ${token}` });
    const url = `http://rooms.test/parties/main/${this.app}:${this.channelId}/${verb}`;
    return this.#event(() => this.room.request({ method, headers, url, text: async () => JSON.stringify(body) }));
  }

  /** An order of our Worker about somebody. @returns how many sockets it has ended. */
  async order(order: GivenOrder): Promise<number> {
    const body = { requestId: "request-1", ...order };
    const answer = await this.request("people", await this.token("app", { kind: "internal" }), "POST", body);
    if (answer.status !== 200) throw new Error(`The room answered ${answer.status}`);
    return ((await answer.json()) as { ended: number }).ended;
  }

  /** Lets time pass: timers and alarms go off when they are due. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    for (let turns = 0, at = this.now; ; turns = at === this.now ? turns + 1 : 0, at = this.now) {
      if (turns > TURNS_MAX) throw new Error(`The room wakes itself without end at ${new Date(at).toISOString()}`);
      const alarmAt = this.platform.storage.alarmAt ?? Infinity;
      const timerAt = Math.min(...this.#timers.map(({ at }) => at));
      const next = Math.min(alarmAt, timerAt);
      if (next > until) break;
      this.now = Math.max(this.now, next);
      if (timerAt <= alarmAt) this.#runTimers();
      else await this.#ring();
      await settle();
    }
    this.now = until;
  }

  /** The wall clock is set. The platform's alarms keep to it; timers, as everywhere, do not. */
  jump(ms: number): void {
    this.now += ms;
    for (const timer of this.#timers) timer.at += ms;
  }

  /** The platform takes the object out of memory; sockets and storage stay. Never while a timer runs. */
  async sleep(): Promise<void> {
    await settle();
    while (this.#timers.length > 0) {
      this.now = Math.max(this.now, Math.min(...this.#timers.map(({ at }) => at)));
      this.#runTimers();
      await settle();
    }
    this.room = new ChatRoom(this.platform.open(), this.deps);
  }

  /** The process dies: every socket is cut, and only what was durable is left, and of what was not yet so many writes. */
  crash(lasting = 0): void {
    this.#timers = [];
    for (const connection of this.platform.connections) connection.goAway(1006);
    this.platform.connections.clear();
    this.platform.storage.crash(lasting);
    this.room = new ChatRoom(this.platform.open(), this.deps);
  }

  /** Everything history has. */
  async history(): Promise<{ seq: number; content: string }[]> {
    const events = await this.store.listEvents(this.app, this.channelId, { limit: 20_000 });
    return events.map(({ seq, content }) => ({ seq, content }));
  }

  /** The store as the platform lets a room reach it: what is written to it leaves no earlier than a frame would. */
  #gated(): Store {
    const left = () => new Promise<void>((resolve) => this.platform.storage.gate.send(resolve));
    // What a test changes of the store later counts as well.
    return Object.assign(Object.create(this.store) as Store, {
      writeBatch: async (...given: Parameters<Store["writeBatch"]>) => {
        await left();
        return this.store.writeBatch(...given);
      },
    });
  }

  async #ring(): Promise<void> {
    await this.#event(
      () => this.room.alarm(),
      () => {
        this.platform.storage.alarmAt = null;
      },
    );
  }

  #runTimers(): void {
    const due = this.#timers.filter(({ at }) => at <= this.now);
    this.#timers = this.#timers.filter(({ at }) => at > this.now);
    for (const { callback } of due) callback();
  }

  /** Something happens to the room. One that sleeps between any two events takes them one after the other. */
  async #event<Result>(hook: () => Result | Promise<Result>, before: () => void = () => {}): Promise<Result> {
    const run = async () => {
      if (this.#sleepy) await this.sleep();
      before();
      await this.room.start();
      const result = await hook();
      this.#runTimers(); // those that wait for no time at all
      await settle();
      return result;
    };
    if (!this.#sleepy) return run();
    const done = this.#last.then(run);
    this.#last = done.then(() => {});
    return done;
  }

  async #closed(connection: FakeConnection): Promise<void> {
    this.platform.connections.delete(connection);
    this.room.close(connection);
  }
}

/** Waits until everything that needs no clock has happened. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
