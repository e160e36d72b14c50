import { type ClientOptions, WebSocket } from "ws";
import type { ServerFrame, ServerFrameOf } from "../../protocol/frames.ts";

export interface OpenOptions {
  protocols?: string[];
  headers?: Record<string, string>;
}

const PATIENCE_MS = 15_000;

/** A raw client for tests: it remembers every frame and hands them out in order, whenever they came. */
export class ChatSocket {
  readonly frames: ServerFrame[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | undefined;
  #watchers = new Set<() => void>();
  #cursor = 0;

  constructor(url: string, { protocols = [], headers = {} }: OpenOptions = {}) {
    // The local rooms' runtime says goodbye at once but can leave the connection open; a browser does not wait either.
    const options: ClientOptions & { closeTimeout: number } = { headers, closeTimeout: 1_000 };
    this.socket = new WebSocket(url, protocols, options);
    this.socket.on("message", (data) => {
      // Lines of a gathered message, or the one object of a plain one.
      for (const line of String(data).split("\n")) if (line !== "") this.frames.push(JSON.parse(line));
      this.#wake();
    });
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#wake();
    });
    this.socket.on("error", () => {}); // a close follows
    this.socket.on("open", () => this.#wake());
  }

  /** Opens with the token as subprotocol, the way browsers do. */
  static withToken(url: string, token: string, lines = false): ChatSocket {
    return new ChatSocket(url, { protocols: [lines ? "chat.v1.lines" : "chat.v1", `chat.token.${token}`] });
  }

  say(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  async opened(): Promise<void> {
    await this.#until(() => this.socket.readyState !== WebSocket.CONNECTING || undefined, "the socket to open");
  }

  /** The next frame of a type (that fits), past those handed out before. */
  async next<Type extends ServerFrame["type"]>(
    type: Type,
    fits: (frame: ServerFrameOf<Type>) => boolean = () => true,
    patienceMs: number = PATIENCE_MS,
  ): Promise<ServerFrameOf<Type>> {
    return this.#until(
      () => {
        for (let at = this.#cursor; at < this.frames.length; at++) {
          const frame = this.frames[at];
          if (frame?.type !== type || !fits(frame as ServerFrameOf<Type>)) continue; // of that type, as just checked
          this.#cursor = at + 1;
          return frame as ServerFrameOf<Type>;
        }
        return undefined;
      },
      `a "${type}" frame`,
      patienceMs,
    );
  }

  /** Every frame of a type so far. */
  all<Type extends ServerFrame["type"]>(type: Type): ServerFrameOf<Type>[] {
    return this.frames.filter((frame): frame is ServerFrameOf<Type> => frame.type === type);
  }

  async closing(): Promise<{ code: number; reason: string }> {
    return this.#until(() => this.closed, "the socket to close");
  }

  /** Goes away; resolves when both sides know. */
  async leave(): Promise<void> {
    this.socket.close();
    await this.closing();
  }

  #wake(): void {
    for (const look of this.#watchers) look();
  }

  #until<T>(look: () => T | undefined, what: string, patienceMs = PATIENCE_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (act: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        act();
      };
      const check = (): void => {
        const found = look();
        if (found !== undefined) end(() => resolve(found));
        else if (this.closed !== undefined) end(() => reject(new Error(`Waited for ${what}; ${this.#story()}`)));
      };
      const timer = setTimeout(() => end(() => reject(new Error(`Waited for ${what}; ${this.#story()}`))), patienceMs);
      this.#watchers.add(check);
      check();
    });
  }

  #story(): string {
    const came = this.frames.map((frame) => (frame.type === "error" ? `error ${frame.code}` : frame.type)).join(", ");
    return `came: ${came || "nothing"}; ${this.closed === undefined ? "open" : `closed ${this.closed.code} ${this.closed.reason}`}`;
  }
}
