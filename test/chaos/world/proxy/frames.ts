const TEXT = 1;
const FIN_TEXT = 0x80 | TEXT;
const MASKED = 0x80;
const LENGTH = 0x7f;

/** Cuts a stream of bytes into whole WebSocket frames, without looking into them. */
export class FrameCutter {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are whole now, header included. */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    let at = 0;
    for (;;) {
      const size = frameSize(bytes, at);
      if (size === undefined || at + size > bytes.length) break;
      frames.push(bytes.subarray(at, at + size));
      at += size;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }
}

function headerSize(second: number): number {
  const length = second & LENGTH;
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + ((second & MASKED) === 0 ? 0 : 4);
}

/** How long the frame at this place is; undefined while its header is not all there. */
function frameSize(bytes: Buffer, at: number): number | undefined {
  const second = bytes[at + 1];
  if (second === undefined) return undefined;
  const header = headerSize(second);
  if (bytes.length < at + header) return undefined;
  const length = second & LENGTH;
  if (length === 126) return header + bytes.readUInt16BE(at + 2);
  if (length === 127) return header + Number(bytes.readBigUInt64BE(at + 2));
  return header + length;
}

/** What a whole text frame says; undefined for every other kind: control frames and parts of a message. */
export function textOf(frame: Buffer): string | undefined {
  const [first = 0, second = 0] = frame;
  if (first !== FIN_TEXT) return undefined;
  const header = headerSize(second);
  if ((second & MASKED) === 0) return frame.toString("utf8", header);
  return unmask(frame.subarray(header), frame.subarray(header - 4, header)).toString("utf8");
}

function unmask(payload: Buffer, mask: Buffer): Buffer {
  return Buffer.from(payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0)));
}

/** A text frame; masked, as clients must, with a mask of zeros. */
export function textFrame(text: string, masked: boolean): Buffer {
  const payload = Buffer.from(text, "utf8");
  const mask = masked ? MASKED : 0;
  const head =
    payload.length < 126
      ? Buffer.from([FIN_TEXT, mask | payload.length])
      : payload.length < 65_536
        ? Buffer.from([FIN_TEXT, mask | 126, payload.length >> 8, payload.length & 0xff])
        : longHead(mask, payload.length);
  return Buffer.concat([head, masked ? Buffer.alloc(4) : Buffer.alloc(0), payload]);
}

function longHead(mask: number, length: number): Buffer {
  const head = Buffer.alloc(10);
  head[0] = FIN_TEXT;
  head[1] = mask | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** The type a line of the protocol names. A quote within a value is escaped, so the first match is a key. */
export function typeOf(line: string): string {
  return /"type":"([a-z_]+)"/.exec(line)?.[1] ?? "";
}
