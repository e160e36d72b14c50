import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A WebSocket frame as it stands on the wire; what is left out is right. */
export interface RawFrame {
  opcode: number;
  payload?: Uint8Array | string;
  fin?: boolean;
  /** The three reserved bits, RSV1 highest. */
  rsv?: number;
  /** The length that the header says, whatever follows it. */
  claims?: number | bigint;
  masked?: boolean;
}

const PATIENCE_MS = 15_000;

/** The bytes of a frame. */
export function frameBytes({ opcode, payload = "", fin = true, rsv = 0, claims, masked = true }: RawFrame): Buffer {
  const body = Buffer.from(payload);
  const length = BigInt(claims ?? body.length);
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const short = length < 126n ? Number(length) : length < 65_536n ? 126 : 127;
  const head = Buffer.from([first, (masked ? 0x80 : 0) | short]);
  const size = Buffer.alloc(short === 126 ? 2 : short === 127 ? 8 : 0);
  if (short === 126) size.writeUInt16BE(Number(length));
  if (short === 127) size.writeBigUInt64BE(length);
  if (!masked) return Buffer.concat([head, size, body]);
  const mask = randomBytes(4);
  const hidden = Buffer.from(body.map((byte, at) => byte ^ (mask[at % 4] ?? 0)));
  return Buffer.concat([head, size, mask, hidden]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: Uint8Array | string = ""): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

/** What a close frame may hold, right and wrong. */
export const ODD_CLOSES = [
  Buffer.alloc(0),
  Buffer.from([3]), // half a code
  ...[0, 999, 1000, 1004, 1005, 1006, 1015, 2999, 4506, 4999, 65_535].map((code) => closePayload(code)),
  closePayload(1000, Uint8Array.of(0xff, 0xfe)),
  closePayload(1000, "x".repeat(200)),
];

/** A WebSocket client by hand, on a bare TCP connection: it can send what no library would. */
export class RawSocket {
  /** Status line and headers of the answer to the upgrade. */
  head = "";
  /** The text messages that came. */
  readonly texts: string[] = [];
  /** The close frame that came: its code, or 1005 when it has none. */
  closeCode: number | undefined;
  /** The connection is over. */
  ended = false;
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  readonly #watchers = new Set<() => void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#read();
      this.#wake();
    });
    for (const event of ["end", "close", "error"]) socket.on(event, () => this.#end());
  }

  /** Resolves when the upgrade has been answered. */
  static async open(address: string, headers: Record<string, string> = {}): Promise<RawSocket> {
    const url = new URL(address);
    const raw = new RawSocket(connect(Number(url.port), url.hostname));
    const all = {
      host: url.host,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    raw.write(Buffer.from(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n`));
    await raw.until(() => raw.head !== "" || raw.ended, "the answer to the upgrade");
    return raw;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  send(frame: RawFrame): void {
    this.write(frameBytes(frame));
  }

  say(frame: object): void {
    this.send({ opcode: OPCODES.text, payload: JSON.stringify(frame) });
  }

  /** Every JSON object that came, one a message. */
  get frames(): ({ type: string } & Record<string, unknown>)[] {
    return this.texts.map((text) => JSON.parse(text) as { type: string });
  }

  /** Waits for a frame of a type (that fits). */
  async next(type: string, fits: (frame: Record<string, unknown>) => boolean = () => true) {
    const find = () => this.frames.find((frame) => frame.type === type && fits(frame));
    await this.until(() => find() !== undefined, `a "${type}" frame`);
    return find() as Record<string, unknown>; // as just waited for
  }

  /** Waits for the other side's goodbye. @returns the code of its close frame, or "cut" without one. */
  async goodbye(): Promise<number | "cut"> {
    await this.until(() => this.closeCode !== undefined || this.ended, "a goodbye");
    return this.closeCode ?? "cut";
  }

  async until(isSo: () => boolean, what: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        act();
      };
      const look = (): void => {
        if (isSo()) settle(resolve);
        else if (this.ended) settle(() => reject(new Error(`Waited for ${what}, and the connection ended`)));
      };
      const timer = setTimeout(() => settle(() => reject(new Error(`Waited for ${what}`))), PATIENCE_MS);
      this.#watchers.add(look);
      look();
    });
  }

  /** Hangs up without a word. */
  destroy(): void {
    this.#socket.destroy();
  }

  #read(): void {
    if (this.head === "") {
      const end = this.#bytes.indexOf("\r\n\r\n");
      if (end === -1) return;
      this.head = this.#bytes.subarray(0, end).toString();
      this.#bytes = this.#bytes.subarray(end + 4);
    }
    for (let frame = this.#takeFrame(); frame !== undefined; frame = this.#takeFrame()) this.#hear(frame);
  }

  /** A server's frames are whole and unmasked. */
  #takeFrame(): { opcode: number; payload: Buffer } | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const short = bytes.readUInt8(1) & 0x7f;
    const start = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.length < start) return undefined;
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (bytes.length < start + length) return undefined;
    this.#bytes = bytes.subarray(start + length);
    return { opcode: bytes.readUInt8(0) & 0x0f, payload: bytes.subarray(start, start + length) };
  }

  #hear({ opcode, payload }: { opcode: number; payload: Buffer }): void {
    if (opcode === OPCODES.text) this.texts.push(payload.toString());
    if (opcode === OPCODES.close) this.closeCode = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
  }

  #end(): void {
    this.ended = true;
    this.#wake();
  }

  #wake(): void {
    for (const look of this.#watchers) look();
  }
}
