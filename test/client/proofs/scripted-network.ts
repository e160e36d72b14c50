import type { ChatPlatform } from "../../../client/types.ts";
import { parseJson } from "../../../protocol/json.ts";

/** What becomes of a socket that a client opens. */
export type SocketFate =
  /** It opens, is welcomed, and joins whatever is asked. */
  | { kind: "welcomed" }
  /** It opens and is closed at once, as a token that is refused is. */
  | { kind: "refused"; code: number }
  /** It never opens. */
  | { kind: "unreachable" }
  /** It neither opens nor fails. */
  | { kind: "hangs" }
  /** It is welcomed, and lost after a while. */
  | { kind: "cut"; afterMs: number; code: number }
  /** It opens and says what nobody understands. */
  | { kind: "babbles" };

/** One way over the network takes this long. */
const LATENCY_MS = 20;

/** A network in one's own hands: its sockets do what the script says, in whatever time the test keeps. */
export class ScriptedNetwork {
  readonly sockets: ScriptedSocket[] = [];
  readonly WebSocket: ChatPlatform["WebSocket"];
  /** Decides about each socket when it is opened; `number` counts from 0. */
  readonly #fateOf: (socket: ScriptedSocket, number: number) => SocketFate;

  constructor(fateOf: (socket: ScriptedSocket, number: number) => SocketFate) {
    this.#fateOf = fateOf;
    const begin = (socket: ScriptedSocket): void => this.#begin(socket);
    class NetworkSocket extends ScriptedSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        begin(this);
      }
    }
    // It has the events, methods and properties of the DOM's that a client uses.
    this.WebSocket = NetworkSocket as unknown as ChatPlatform["WebSocket"];
  }

  get open(): ScriptedSocket[] {
    return this.sockets.filter(({ readyState }) => readyState === 1);
  }

  #begin(socket: ScriptedSocket): void {
    const number = this.sockets.push(socket) - 1;
    const fate = this.#fateOf(socket, number);
    if (fate.kind === "hangs") return;
    setTimeout(() => {
      if (fate.kind === "unreachable") return socket.end(1006);
      socket.begin();
      if (fate.kind === "refused") return socket.end(fate.code);
      if (fate.kind === "babbles") return socket.hear('{"type":"welc\n[]\n{"type":7}\n{"type":"room_joined"}');
      socket.welcome();
      if (fate.kind === "cut") setTimeout(() => socket.end(fate.code), fate.afterMs);
    }, LATENCY_MS);
  }
}

/** The client's end of a scripted socket, with the server's hands on it. */
export class ScriptedSocket extends EventTarget {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly openedAt: number = performance.now();
  readonly said: unknown[] = [];
  protocol = "chat.v1.lines";
  binaryType = "blob";
  bufferedAmount = 0;
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;

  constructor(url: string, protocols: readonly string[]) {
    super();
    // As browsers and Node do.
    if (protocols.some((name) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)))
      throw new DOMException(`Cannot offer "${protocols.join('", "')}"`, "SyntaxError");
    this.url = url;
    this.protocols = protocols;
  }

  /** The token it was opened with. */
  get token(): string {
    return this.protocols.find((one) => one.startsWith("chat.token."))?.slice("chat.token.".length) ?? "";
  }

  send(text: string): void {
    if (this.readyState !== 1) return;
    for (const line of text.split("\n")) this.#answer(parseJson(line));
  }

  close(code = 1000): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    setTimeout(() => this.end(code), LATENCY_MS);
  }

  begin(): void {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.#tell(new Event("open"));
  }

  welcome(): void {
    this.frame({
      type: "welcome",
      connectionId: "0f1e2d3c-4b5a-4968-8776-655443322110",
      userId: "ann",
      serverTime: "2026-11-21T09:30:00.000Z",
      limits: {
        messageMaxLength: 1_000,
        messageMaxBytes: 4_096,
        frameMaxBytes: 16_384,
        messagesPerWindow: 30,
        windowMs: 60_000,
      },
      expiresAt: "2026-11-22T09:30:00.000Z",
    });
    this.#join(new URL(this.url).searchParams.get("roomId") ?? "lobby");
  }

  frame(frame: object): void {
    this.hear(JSON.stringify(frame));
  }

  hear(data: string): void {
    if (this.readyState === 1) this.#tell(Object.assign(new Event("message"), { data }));
  }

  /** It is over, whoever wanted it. */
  end(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    if (code === 1006) this.#tell(new Event("error"));
    this.#tell(Object.assign(new Event("close"), { code, reason: "", wasClean: code !== 1006 }));
  }

  #answer(frame: unknown): void {
    this.said.push(frame);
    if (typeof frame !== "object" || frame === null || !("type" in frame)) return;
    const answer = (work: () => void): void => void setTimeout(work, 2 * LATENCY_MS);
    if (frame.type === "ping") answer(() => this.frame({ type: "pong" }));
    if (frame.type === "join_room" && "roomId" in frame) answer(() => this.#join(String(frame.roomId)));
  }

  #join(roomId: string): void {
    const nobody = { memberCount: 0, members: [], messages: [] };
    this.frame({ type: "room_joined", roomId, epoch: "e1", seq: 0, recovered: true, ...nobody });
  }

  #tell(event: Event): void {
    const handler = { open: this.onopen, message: this.onmessage, error: this.onerror, close: this.onclose }[
      event.type
    ];
    handler?.call(this, event);
    this.dispatchEvent(event);
  }
}
