import { vi } from "vitest";
import type { ChatClaims } from "../../domain/chat-tokens.ts";
import { createTokenKeys, signChatToken, type TokenKeys } from "../../domain/chat-tokens.ts";
import { readConfig, type Settings } from "../../domain/config.ts";
import type { LogEvent } from "../../domain/log.ts";
import type { AuditEntry } from "../../domain/ports/audit-log.ts";
import { RefusedRequests } from "../../domain/refused-requests.ts";
import type { ServerSocket } from "../../domain/sockets.ts";
import { WaitingRoom } from "../../domain/waiting-room.ts";
import type { GatewayDeps } from "../../functions/gateway/deps.ts";
import { openGateway } from "../../functions/gateway/upgrade.ts";
import { CLOSES, type CloseReason } from "../../protocol/errors.ts";
import type { Since, Subprotocol } from "../../protocol/frames.ts";
import { AppId, type ChannelId, UserId } from "../../protocol/ids.ts";

type Listener = (event: never) => void;
export type Frame = Record<string, unknown> & { type: string };

/** A WebSocket end as the runtime gives one, driven by the test from the other side. */
export class FakeSocket implements ServerSocket {
  readonly sent: string[] = [];
  accepted = false;
  closed: { code: number | undefined; reason: string } | undefined;
  readonly #listeners = new Map<string, Listener[]>();

  accept(): void {
    this.accepted = true;
  }

  send(text: string): void {
    if (this.closed !== undefined) throw new TypeError("Can't call WebSocket send() after close().");
    this.sent.push(text);
  }

  close(code?: number, reason = ""): void {
    if (this.closed !== undefined) throw new TypeError("Can't call WebSocket close() twice.");
    if (code !== undefined && (code < 1000 || code > 4999 || [1004, 1005, 1006, 1015].includes(code)))
      throw new TypeError("Invalid WebSocket close code.");
    this.closed = { code, reason };
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  /** The other side says something. */
  hear(data: unknown): void {
    this.#emit("message", { data });
  }

  /** The other side says frames, each in a message of its own. */
  say(...frames: object[]): void {
    for (const frame of frames) this.hear(JSON.stringify(frame));
  }

  /** The other side closes; codes by name are ours. */
  hangUp(code: number | CloseReason, reason = ""): void {
    this.#emit("close", { code: typeof code === "number" ? code : CLOSES[code], reason });
  }

  break(): void {
    this.#emit("error", {});
  }

  /** What was sent, as frames: lines or single objects. */
  get frames(): Frame[] {
    return this.sent.flatMap((text) => text.split("\n")).map((text) => JSON.parse(text) as Frame);
  }

  ofType(type: string): Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  #emit(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }
}

/** A room that the gateway has dialled. */
export class FakeRoom extends FakeSocket {
  readonly roomId: ChannelId;
  readonly token: string;
  readonly since: Since | undefined;

  constructor(roomId: ChannelId, token: string, since: Since | undefined) {
    super();
    this.roomId = roomId;
    this.token = token;
    this.since = since;
  }

  /** The room says frames, all in one message. */
  override say(...frames: Frame[]): void {
    this.hear(frames.map((frame) => JSON.stringify(frame)).join("\n"));
  }

  letIn(over: Partial<Frame> = {}): void {
    const { roomId } = this;
    this.say(
      { type: "welcome", connectionId: "upstream" },
      {
        type: "room_joined",
        roomId,
        memberCount: 1,
        members: [],
        epoch: "e1",
        seq: 0,
        messages: [],
        recovered: true,
        ...over,
      },
    );
  }

  message(seq: number, over: Partial<Frame> = {}): void {
    this.say({ type: "message", ...messageOf(this.roomId, seq), ...over });
  }
}

export function messageOf(roomId: string, seq: number) {
  return {
    messageId: `id-${seq}`,
    roomId,
    userId: "bob",
    username: "Bob",
    content: `message ${seq}`,
    timestamp: "2026-11-21T08:00:00.000Z",
    seq,
  };
}

export const NOW = Date.parse("2026-11-21T08:00:00.000Z");
const SECRET = "kP3mZ8qW1nX7vB5tR9yL2cF6hJ4dG0sA-kk";

export const VARIABLES = {
  ENVIRONMENT: "test",
  CHAT_JWT_SECRET: SECRET,
  PUBLIC_URL: "https://chat.example",
  ALLOWED_ORIGINS: "https://app.example, http://localhost:3000",
  DATABASE_URL: "postgres://u:p@db.example/x",
  UPSTASH_REDIS_REST_URL: "https://redis.example",
  UPSTASH_REDIS_REST_TOKEN: "token",
};

export function testSettings(): Settings {
  const { settings, problems } = readConfig(VARIABLES);
  if (settings === undefined) throw new Error(JSON.stringify(problems));
  return settings;
}

export function claimsOf(user = "alice", over: Partial<ChatClaims> = {}): Omit<ChatClaims, "tokenId"> {
  return {
    userId: UserId.parse(user),
    app: AppId.parse("demo"),
    name: "Alice",
    issuedAt: NOW,
    expiresAt: NOW + 3_600_000,
    ...over,
  };
}

/** A gateway whose rooms and clients are the test's. */
export interface TestGateway {
  keys: TokenKeys;
  /** Every dial so far, oldest first. */
  rooms: FakeRoom[];
  /** What was logged. */
  log: LogEvent[];
  /** What went to the audit log. */
  audit: AuditEntry[];
  /** The newest dial to a room. */
  room(roomId: string): FakeRoom;
  /** Called at each attempt, for tests to watch. */
  onDial(): void;
  /** Makes dials fail, with this error. */
  failDials(error: Error): void;
  mendDials(): void;
  /** Makes dials wait until the test calls what they leave in `answers`. */
  holdDials(answers: (() => void)[]): void;
  token(user?: string, over?: Partial<ChatClaims>): Promise<string>;
  /** Opens a socket the way `open` of a browser would; the answer and, if it was accepted, our end of it. */
  open(
    request?: OpenRequest,
  ): Promise<{ response: Response; socket: FakeSocket; subprotocol: Subprotocol | undefined }>;
  /** A socket of alice's that has dialled its first room. */
  enter(request?: OpenRequest): Promise<FakeSocket>;
  /** A socket of alice's whose lobby is joined. */
  joined(request?: OpenRequest): Promise<{ client: FakeSocket; lobby: FakeRoom }>;
  /** Has an open socket join one more room, which lets it in. */
  join(client: FakeSocket, roomId: string): Promise<FakeRoom>;
  /** Lets the first retry after a break happen; the lobby answers it with this. */
  rejoined(over: Partial<Frame>): Promise<FakeRoom>;
}
export interface OpenRequest {
  query?: string;
  headers?: Record<string, string>;
  method?: string;
}

/** @param random What stands for chance; 1 makes every backoff as long as it may be. */
export async function createTestGateway(random = 0): Promise<TestGateway> {
  const settings = testSettings();
  const keys = await createTokenKeys(settings.PUBLIC_URL, SECRET);
  const rooms: FakeRoom[] = [];
  let dialError: Error | undefined;
  let held: (() => void)[] | undefined;
  const deps: Omit<GatewayDeps, "accept"> = {
    settings,
    tokenKeys: keys,
    now: () => Date.now(),
    random: () => random,
    log: (event) => void gateway.log.push(event),
    refused: new RefusedRequests({
      store: { writeAudit: async (_app, entries) => void gateway.audit.push(...entries) },
      now: () => Date.now(),
      waitUntil: () => {},
      log: (event) => void gateway.log.push(event),
    }),
    waiting: new WaitingRoom(() => Date.now()),
    async dial(roomId, token, since) {
      gateway.onDial();
      if (dialError !== undefined) throw dialError;
      await new Promise<void>((resolve) => (held === undefined ? resolve() : held.push(resolve)));
      const room = new FakeRoom(roomId, token, since);
      rooms.push(room);
      return room;
    },
  };
  const gateway: TestGateway = {
    keys,
    rooms,
    log: [],
    audit: [],
    room(roomId) {
      const room = rooms.findLast((dialled) => dialled.roomId === roomId);
      if (room === undefined) throw new Error(`Nobody dialled "${roomId}"`);
      return room;
    },
    onDial() {},
    failDials: (error) => void (dialError = error),
    mendDials: () => void (dialError = undefined),
    holdDials: (answers) => void (held = answers),
    token: (user, over) => signChatToken(keys, "ws", claimsOf(user, over)),
    async open({ query = "", headers = {}, method = "GET" } = {}) {
      const request = new Request(`https://chat.example/ws${query}`, {
        method,
        headers: { upgrade: "websocket", "sec-websocket-version": "13", ...headers },
      });
      let accepted: { socket: FakeSocket; subprotocol: Subprotocol | undefined } | undefined;
      const accept: GatewayDeps["accept"] = (subprotocol) => {
        accepted = { socket: new FakeSocket(), subprotocol };
        return { socket: accepted.socket, response: new Response(null, { status: 299 }) }; // Node makes none of 101
      };
      const response = await openGateway({ ...deps, accept }, request);
      return { response, ...(accepted ?? { socket: new FakeSocket(), subprotocol: undefined }) };
    },
    async enter({ query = "", headers = {} } = {}) {
      const authorization = `Bearer ${await gateway.token()}`;
      const { socket } = await gateway.open({ query, headers: { authorization, ...headers } });
      await settle();
      return socket;
    },
    async joined(request) {
      const client = await gateway.enter(request);
      const lobby = gateway.room("lobby");
      lobby.letIn();
      return { client, lobby };
    },
    async join(client, roomId) {
      client.say({ type: "join_room", roomId });
      await settle();
      const room = gateway.room(roomId);
      room.letIn();
      return room;
    },
    async rejoined(over) {
      await vi.advanceTimersByTimeAsync(250);
      const lobby = gateway.room("lobby");
      lobby.letIn(over);
      return lobby;
    },
  };
  return gateway;
}

/** Lets every promise that can go on do so; no timer fires. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}
