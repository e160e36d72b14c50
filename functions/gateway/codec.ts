import {
  type ParsedFrame,
  parseClientFrame,
  type ServerFrame,
  splitLines,
  type Subprotocol,
} from "../../protocol/frames.ts";
import type { RoomFrame } from "./room-frame.ts";

/** One frame a client sent: parsed, and the native text of it for the room. */
export interface Decoded {
  parsed: ParsedFrame;
  text: string;
}

/**
 * What a client's wire looks like. The connection knows frames only, so another protocol is another codec beside this one.
 */
export interface Codec {
  /** The texts of the frames in one WebSocket message: one at least, so that an empty message is a mistake too. */
  split(message: string): string[];
  /** Never throws. */
  decode(text: string): Decoded;
  /** The WebSocket message for a frame of the gateway's own. */
  encode(frame: ServerFrame): string;
  /** The WebSocket messages for frames that came from a room together. */
  relay(frames: readonly RoomFrame[]): string[];
}

/** The native protocol: JSON objects, one per message, or one per line for clients that asked for lines. */
export function nativeCodec(subprotocol: Subprotocol | undefined): Codec {
  return subprotocol === "chat.v1.lines" ? LINES : SINGLE;
}

const SINGLE: Codec = {
  split: (message) => [message],
  // Rooms read one frame per line; a line break in JSON can only be space between tokens.
  decode: (text) => ({ parsed: parseClientFrame(text), text: text.replaceAll("\n", " ") }),
  encode: JSON.stringify,
  relay: (frames) => frames.map(({ text }) => text),
};

const LINES: Codec = {
  ...SINGLE,
  split(message) {
    const lines = splitLines(message);
    return lines.length === 0 ? [""] : lines;
  },
  relay: (frames) => (frames.length === 0 ? [] : [frames.map(({ text }) => text).join("\n")]),
};
