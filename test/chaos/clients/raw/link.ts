import { type ClientOptions, WebSocket } from "ws";
import { ServerFrame, splitLines } from "../../../../protocol/frames.ts";
import { parseJson } from "../../../../protocol/json.ts";

/** One WebSocket, from its opening to its close. */
export interface LinkEvents {
  frame(frame: ServerFrame): void;
  /** The whole text of one WebSocket message. */
  text(text: string): void;
  /** It is over, for whatever reason; told once. */
  closed(code: number): void;
  /** The upgrade was answered with something else. */
  refused(status: number): void;
}

const PING_MS = 8_000;
const OPEN_TIMEOUT_MS = 10_000;

/** A socket that finds out by itself when the other side is gone: it pings, and does not wait for ever. */
export class Link {
  readonly #socket: WebSocket;
  readonly #events: LinkEvents;
  #heardAt: number = performance.now();
  #isOver = false;
  readonly #timer: NodeJS.Timeout;
  #resume: NodeJS.Timeout | undefined;

  constructor(url: string, token: string, lines: boolean, events: LinkEvents) {
    this.#events = events;
    // The local rooms' runtime says goodbye at once but can leave the connection open.
    const options: ClientOptions & { closeTimeout: number } = {
      closeTimeout: 1_000,
      handshakeTimeout: OPEN_TIMEOUT_MS,
      perMessageDeflate: false,
    };
    this.#socket = new WebSocket(url, [lines ? "chat.v1.lines" : "chat.v1", `chat.token.${token}`], options);
    this.#socket.on("message", (data: Buffer) => this.#hear(data.toString("utf8")));
    this.#socket.on("unexpected-response", (_request, response) => {
      events.refused(response.statusCode ?? 0);
      response.destroy();
      this.#end(1006);
    });
    this.#socket.on("error", () => undefined); // a close follows
    this.#socket.on("close", (code) => this.#end(code));
    this.#timer = setInterval(() => this.#keepAlive(), PING_MS);
  }

  get isOpen(): boolean {
    return !this.#isOver && this.#socket.readyState === WebSocket.OPEN;
  }

  /** @returns false when there is no socket to say it on. */
  say(frame: object): boolean {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Stops reading for a while. @returns false when it cannot, or does not read already. */
  pause(ms: number): boolean {
    if (!this.isOpen || this.#resume !== undefined) return false;
    this.#socket.pause();
    this.#resume = setTimeout(() => {
      this.#resume = undefined;
      this.#heardAt = performance.now();
      this.#socket.resume();
    }, ms);
    return true;
  }

  /** Says goodbye. */
  close(): void {
    this.#socket.close(1000);
    this.#end(1000);
  }

  /** Ends it the way a network does. */
  cut(): void {
    this.#socket.terminate();
    this.#end(1006);
  }

  #hear(text: string): void {
    if (this.#isOver) return;
    this.#heardAt = performance.now();
    this.#events.text(text);
    for (const line of splitLines(text)) {
      const frame = readFrame(line);
      if (frame !== undefined) this.#events.frame(frame);
    }
  }

  #keepAlive(): void {
    if (this.#resume !== undefined) return;
    // Two pings without a sign of life: the line is dead, though nobody has said so.
    if (performance.now() - this.#heardAt > 2 * PING_MS) return this.cut();
    this.say({ type: "ping" });
  }

  #end(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    clearTimeout(this.#resume);
    this.#events.closed(code);
  }
}

/** The schema costs more than all the rest of a client, so the one frame there are thousands of is read by hand. */
function readFrame(line: string): ServerFrame | undefined {
  const value = parseJson(line);
  if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
  if (value.type === "message" && "seq" in value && "messageId" in value && "content" in value && "userId" in value)
    return value as ServerFrame; // every field that is used of it is there
  return ServerFrame.safeParse(value).data;
}
