import { vi } from "vitest";
import { ChatClient } from "../../client/chat-client.ts";
import type { ChatRoom } from "../../client/room.ts";
import type { ChatClientOptions, ChatPlatform, ClientEvents, FetchedTokenOptions } from "../../client/types.ts";
import { CLOSES } from "../../protocol/errors.ts";
import { joined, message } from "./scripted-server.ts";

// Loaded before it is needed, so that no test waits for a file while its clock stands still.
await import("../../client/http.ts");

type Frame = Record<string, unknown> & { type: string };

/** A socket whose other end is the test. */
export class FakeSocket {
  readonly url: URL;
  readonly protocols: readonly string[];
  readonly sent: Frame[] = [];
  readyState = 0;
  onmessage: ((event: { data: unknown }) => void) | undefined;
  onclose: ((event: { code: number; reason: string }) => void) | undefined;
  onerror: (() => void) | undefined;
  /** The client has closed it. */
  isClosed = false;

  constructor(url: string, protocols: readonly string[]) {
    this.url = new URL(url);
    this.protocols = protocols;
  }

  get token(): string {
    return this.protocols[1]?.slice("chat.token.".length) ?? "";
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Frame);
  }

  close(): void {
    this.isClosed = true;
    this.readyState = 3;
  }

  say(...frames: object[]): void {
    this.onmessage?.({ data: frames.map((frame) => JSON.stringify(frame)).join("\n") });
  }

  sayRaw(data: string): void {
    this.onmessage?.({ data });
  }

  welcome(userId = "alice", lifeMs = 86_400_000): void {
    this.readyState = 1;
    const limits = { messageMaxLength: 1_000, messageMaxBytes: 4_096, frameMaxBytes: 16_384 };
    const [serverTime, expiresAt] = [new Date(0).toISOString(), new Date(lifeMs).toISOString()];
    this.say({ type: "welcome", connectionId: "c", userId, serverTime, limits, expiresAt });
  }

  /** With the reason that the server gives, which is the code's name. */
  lose(code = 1006, reason = Object.entries(CLOSES).find(([, known]) => known === code)?.[0] ?? ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /** The nth frame of a type that the client has sent. */
  nth(type: string, at = 0): Frame {
    const frame = this.all(type)[at];
    if (frame === undefined) throw new Error(`No frame ${at} of ${type} in ${JSON.stringify(this.sent)}`);
    return frame;
  }

  all(type: string): Frame[] {
    return this.sent.filter((frame) => frame.type === type);
  }
}

export interface HttpAnswer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** Everything around a client, with a clock that the test moves (vitest's fake timers). */
export class FakeWorld {
  readonly sockets: FakeSocket[] = [];
  readonly requests: { url: URL; token: string }[] = [];
  readonly changes: ClientEvents["connection"][] = [];
  readonly unauthorized: ClientEvents["unauthorized"][] = [];
  readonly errors: ClientEvents["error"][] = [];
  readonly clients: ChatClient[] = [];
  random: () => number = () => 0.5;
  answer: (url: URL, token: string) => HttpAnswer | Promise<HttpAnswer> = () => ({ status: 404, body: {} });
  tell: (event: "online" | "offline" | "visible" | "hidden") => void = () => {};

  constructor() {
    vi.useFakeTimers();
  }

  end(): void {
    for (const client of this.clients) client.disconnect();
    vi.useRealTimers();
  }

  get platform(): ChatPlatform {
    const open = (url: string, protocols: string[]): FakeSocket => {
      const socket = new FakeSocket(url, protocols);
      this.sockets.push(socket);
      return socket;
    };
    return {
      // Called with `new`, and what a constructor returns is what `new` gives.
      WebSocket: function (url: string, protocols: string[]) {
        return open(url, protocols);
      } as never,
      fetch: async (input, init) => {
        const token = new Headers(init?.headers).get("authorization")?.slice(7) ?? "";
        const url = new URL(String(input));
        this.requests.push({ url, token });
        const { status, body, headers } = await this.answer(url, token);
        return new Response(JSON.stringify(body), { status, headers: headers ?? {} });
      },
      random: () => this.random(),
      monotonicNow: () => performance.now(),
      watch: (tell) => {
        this.tell = tell;
        return () => (this.tell = () => {});
      },
    };
  }

  client(options: Partial<ChatClientOptions> = { token: "rest", wsToken: "ws" }): ChatClient {
    const client = new ChatClient({
      apiUrl: "https://chat.test",
      platform: this.platform,
      ...options,
    } as FetchedTokenOptions); // one of the two, as given
    client.on("connection", (change) => this.changes.push(change));
    client.on("unauthorized", (told) => this.unauthorized.push(told));
    client.on("error", (told) => this.errors.push(told));
    this.clients.push(client);
    return client;
  }

  /** The newest socket, once the client has opened that many. */
  async socket(count = 1): Promise<FakeSocket> {
    for (let turn = 0; turn < 50 && this.sockets.length < count; turn++) await vi.advanceTimersByTimeAsync(0);
    const socket = this.sockets[count - 1];
    if (socket === undefined) throw new Error(`There are only ${this.sockets.length} sockets`);
    return socket;
  }

  /** A client in the lobby, whose newest message is `seq`. */
  async enter(seq = 0, client: ChatClient = this.client()): Promise<{ room: ChatRoom; socket: FakeSocket }> {
    const room = client.join("lobby");
    void client.connect();
    const socket = await this.socket();
    socket.welcome();
    socket.say(joined(seq, { messages: seq === 0 ? [] : [message(seq)] }));
    await settle();
    return { room, socket };
  }

  pass(ms: number): Promise<unknown> {
    return vi.advanceTimersByTimeAsync(ms);
  }
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}
