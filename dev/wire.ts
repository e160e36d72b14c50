/**
 * The little of the Postgres wire protocol (version 3) that a door in front of a database has to read and write itself:
 * cutting a stream into messages, and the few replies that come from the door and not from the database.
 */
export interface WireMessage {
  /** The type letter; the first packet of a connection has none. */
  type: string;
  /** The whole message, type letter and length included. */
  bytes: Buffer;
}

export const STARTUP_CODES = { protocol3: 3, cancel: 80_877_102, ssl: 80_877_103, gss: 80_877_104 } as const;

/** Cuts off the first packet of a connection, which has a length but no type letter. */
export function cutStartup(buffer: Buffer): { packet: Buffer; code: number; rest: Buffer } | undefined {
  if (buffer.length < 8) return undefined;
  const length = buffer.readInt32BE(0);
  if (length < 8 || length > MAX_STARTUP_BYTES) throw new WireError("The first packet has an impossible length");
  if (buffer.length < length) return undefined;
  return { packet: buffer.subarray(0, length), code: buffer.readInt32BE(4), rest: buffer.subarray(length) };
}

/** Cuts off one typed message; undefined when it has not arrived whole yet. */
export function cutMessage(buffer: Buffer): { message: WireMessage; rest: Buffer } | undefined {
  if (buffer.length < 5) return undefined;
  const end = 1 + buffer.readInt32BE(1);
  if (end < 5 || end > MAX_MESSAGE_BYTES) throw new WireError("A message has an impossible length");
  if (buffer.length < end) return undefined;
  return {
    message: { type: String.fromCharCode(buffer.readUInt8(0)), bytes: buffer.subarray(0, end) },
    rest: buffer.subarray(end),
  };
}

const MAX_STARTUP_BYTES = 10_000; // as Postgres itself
const MAX_MESSAGE_BYTES = 64 * 1_024 * 1_024;

/** One message; of its parts, texts end with a NUL. */
export function message(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(`${part}\0`) : part)));
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

/** The first packet of a connection, as a client sends it. */
export function startupPacket(parameters: Record<string, string>): Buffer {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [`${name}\0`, `${value}\0`]);
  const body = Buffer.from(`${pairs.join("")}\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt16BE(STARTUP_CODES.protocol3, 4);
  return Buffer.concat([head, body]);
}

/** The reply that ends a connection. @param code A SQLSTATE. */
export function fatalError(code: string, text: string): Buffer {
  return message("E", "SFATAL", "VFATAL", `C${code}`, `M${text}`, Buffer.from([0]));
}

/** What the newest ReadyForQuery says: `I` idle, `T` in a transaction, `E` in a failed one; undefined without any. */
export function lastStatus(reply: Buffer): string | undefined {
  let status: string | undefined;
  for (let rest = reply; rest.length > 0;) {
    const cut = cutMessage(rest);
    if (cut === undefined) break;
    if (cut.message.type === "Z") status = String.fromCharCode(cut.message.bytes.readUInt8(5));
    rest = cut.rest;
  }
  return status;
}

/** The other side does not speak the protocol. */
export class WireError extends Error {
  constructor(text: string) {
    super(text);
    this.name = "WireError";
  }
}
