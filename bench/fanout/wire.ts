import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

/** What a benchmark's client does with a text message: the bytes of it are in `buffer` from `start` to `end`. */
export type OnText = (buffer: Buffer, start: number, end: number) => void;

/**
 * A WebSocket client that does as little as one can: load comes from one process, and what it spends on reading it cannot
 * spend on asking. Text messages only, at most what one `data` event and its neighbours bring together.
 */
export class Wire {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #onText: OnText = () => {};
  closed: string | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("error", (error) => (this.closed ??= error.message));
    socket.on("close", () => (this.closed ??= "the connection was closed"));
  }

  /** Opens a socket; `onText` is told of everything from the first message on. */
  static async open(url: string, headers: Record<string, string>, onText: OnText): Promise<Wire> {
    const { hostname, port, pathname, search } = new URL(url);
    const socket = connect(Number(port), hostname);
    const wire = new Wire(socket);
    const lines = Object.entries({
      host: `${hostname}:${port}`,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`);
    await wire.#upgraded();
    wire.#onText = onText;
    socket.on("data", (chunk: Buffer) => wire.#take(chunk));
    wire.#take(Buffer.alloc(0));
    return wire;
  }

  send(text: string): void {
    const payload = Buffer.from(text);
    const header = payload.length < 126 ? Buffer.alloc(6) : Buffer.alloc(8);
    header[0] = 0x81;
    // Masked with zeros, which the protocol allows and which leaves the text as it is.
    if (payload.length < 126) header[1] = 0x80 | payload.length;
    else {
      header[1] = 0x80 | 126;
      header.writeUInt16BE(payload.length, 2);
    }
    this.#socket.write(Buffer.concat([header, payload]));
  }

  /** Reads no more: what comes stays with the sender. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #upgraded(): Promise<void> {
    return new Promise((resolve, reject) => {
      const read = (chunk: Buffer) => {
        this.#rest = Buffer.concat([this.#rest, chunk]);
        const end = this.#rest.indexOf("\r\n\r\n");
        if (end < 0) return;
        this.#socket.off("data", read);
        const status = this.#rest.toString("latin1", 9, 12);
        this.#rest = this.#rest.subarray(end + 4);
        if (status === "101") resolve();
        else reject(new Error(`The upgrade was answered with ${status}`));
      };
      this.#socket.on("data", read);
      this.#socket.on("close", () => reject(new Error(`The upgrade was not answered: ${this.closed ?? "closed"}`)));
    });
  }

  #take(chunk: Buffer): void {
    const buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const frame = readFrame(buffer, at);
      if (frame === undefined) break;
      if (frame.opcode === 8) this.closed ??= `closed with ${buffer.readUInt16BE(frame.start)}`;
      else if (frame.opcode === 1) this.#onText(buffer, frame.start, frame.end);
      at = frame.end;
    }
    this.#rest = at === buffer.length ? Buffer.alloc(0) : buffer.subarray(at);
  }
}

function readFrame(buffer: Buffer, at: number): { opcode: number; start: number; end: number } | undefined {
  if (buffer.length < at + 2) return undefined;
  const short = (buffer[at + 1] ?? 0) & 0x7f;
  const start = at + (short === 127 ? 10 : short === 126 ? 4 : 2);
  if (buffer.length < start) return undefined;
  const length =
    short === 127 ? Number(buffer.readBigUInt64BE(at + 2)) : short === 126 ? buffer.readUInt16BE(at + 2) : short;
  const end = start + length;
  return buffer.length < end ? undefined : { opcode: (buffer[at] ?? 0) & 0x0f, start, end };
}
