import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { Message, ServerFrame } from "../../protocol/frames.ts";

type Frame = Record<string, unknown> & { type: string };

/** One socket of a client, as the server in a test sees it. */
export class ServerSide {
  readonly url: URL;
  readonly token: string;
  readonly protocols: readonly string[];
  readonly frames: Frame[] = [];
  closed: number | undefined;
  /** Answers by itself, for tests that are about something else. */
  onFrame: (frame: Frame) => void = () => {};
  readonly #socket: WebSocket;
  readonly #wake: () => void;

  constructor(socket: WebSocket, request: IncomingMessage, wake: () => void) {
    this.#socket = socket;
    this.#wake = wake;
    this.url = new URL(request.url ?? "/", "ws://test");
    this.protocols = (request.headers["sec-websocket-protocol"] ?? "").split(/, ?/);
    this.token = this.protocols.find((offer) => offer.startsWith("chat.token."))?.slice(11) ?? "";
    socket.on("message", (data) => {
      for (const line of String(data).split("\n")) {
        const frame = JSON.parse(line) as Frame;
        this.frames.push(frame);
        this.onFrame(frame);
      }
      wake();
    });
    socket.on("close", (code) => {
      this.closed = code;
      wake();
    });
  }

  say(...frames: (Partial<ServerFrame> | Record<string, unknown>)[]): void {
    this.#socket.send(frames.map((frame) => JSON.stringify(frame)).join("\n"));
  }

  sayRaw(text: string): void {
    this.#socket.send(text);
  }

  /** Answers no ping from now on, and says nothing by itself: half-open. */
  close(code: number, reason = ""): void {
    this.#socket.close(code, reason);
  }

  cut(): void {
    this.#socket.terminate();
  }

  all(type: string): Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  wake(): void {
    this.#wake();
  }
}

export interface HttpRequest {
  path: string;
  query: URLSearchParams;
  token: string;
}

/** A server whose every word is the test's: sockets are welcomed by `onSocket`, requests answered by `onRequest`. */
export class ScriptedServer {
  readonly sockets: ServerSide[] = [];
  readonly requests: HttpRequest[] = [];
  onSocket: (socket: ServerSide) => void = (socket) => welcome(socket);
  onRequest: (request: HttpRequest) => { status: number; body: unknown; headers?: Record<string, string> } = () => ({
    status: 404,
    body: { code: "not_found", detail: "There is nothing here" },
  });
  readonly #server: Server;
  readonly #watchers = new Set<() => void>();

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
    const sockets = new WebSocketServer({
      server: this.#server,
      handleProtocols: (offers) => [...offers].find((offer) => !offer.startsWith("chat.token.")) ?? false,
    });
    sockets.on("connection", (socket, request) => {
      const side = new ServerSide(socket, request, () => this.#wake());
      this.sockets.push(side);
      this.onSocket(side);
      this.#wake();
    });
  }

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    await new Promise<void>((done) => server.#server.listen(0, "127.0.0.1", done));
    return server;
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get wsUrl(): string {
    return `${this.apiUrl.replace("http", "ws")}/ws`;
  }

  /** Waits until something is there, looking whenever anything arrives. */
  async until<Value>(look: () => Value | undefined | false, what: string): Promise<Value> {
    return new Promise((resolve, reject) => {
      const timer = realSetTimeout(() => {
        this.#watchers.delete(check);
        reject(new Error(`Waited for ${what}; sockets: ${JSON.stringify(this.sockets.map(({ frames }) => frames))}`));
      }, 8_000);
      const check = (): void => {
        const found = look();
        if (found === undefined || found === false) return;
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve(found);
      };
      this.#watchers.add(check);
      check();
    });
  }

  /** The nth socket, once it is there. */
  socket(nth = 0): Promise<ServerSide> {
    return this.until(() => this.sockets[nth], `socket ${nth}`);
  }

  /** The nth frame of a type on a socket, once it is there. */
  frame(socket: ServerSide, type: string, nth = 0): Promise<Frame> {
    return this.until(() => socket.all(type)[nth], `frame ${nth} of ${type}`);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.cut();
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://test");
    const asked = { path: pathname, query: searchParams, token: (request.headers.authorization ?? "").slice(7) };
    this.requests.push(asked);
    const { status, body, headers } = this.onRequest(asked);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
    this.#wake();
  }

  #wake(): void {
    for (const check of this.#watchers) check();
  }
}

const realSetTimeout = setTimeout;

export function welcome(socket: ServerSide, userId = "alice", lifeMs = 86_400_000): void {
  socket.say({
    type: "welcome",
    connectionId: "c",
    userId,
    serverTime: new Date(0).toISOString(),
    limits: { messageMaxLength: 1000, messageMaxBytes: 4096, frameMaxBytes: 16384, messagesPerWindow: 30, windowMs: 1 },
    expiresAt: new Date(lifeMs).toISOString(),
  });
}

/** Message number `seq` of a room, by bob unless told otherwise. */
export function message(seq: number, more: Record<string, unknown> = {}): Message {
  return {
    messageId: `m${seq}`,
    roomId: "lobby",
    userId: "bob",
    username: "Bob",
    content: `text ${seq}`,
    timestamp: new Date(seq).toISOString(),
    seq,
    ...more,
  } as Message; // brands are the parser's
}

export function live(seq: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { type: "message", ...message(seq, more) };
}

export function joined(seq: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    type: "room_joined",
    roomId: "lobby",
    memberCount: 1,
    members: [{ userId: "bob", username: "Bob", status: "online" }],
    epoch: "e1",
    seq,
    messages: [],
    recovered: true,
    ...more,
  };
}

export function ack(frame: Record<string, unknown>, seq: number, more: Record<string, unknown> = {}): Frame {
  return {
    type: "ack",
    roomId: frame["roomId"],
    clientMessageId: frame["clientMessageId"],
    messageId: `m${seq}`,
    seq,
    epoch: "e1",
    timestamp: new Date(seq).toISOString(),
    duplicate: false,
    ...more,
  };
}
