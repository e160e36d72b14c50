import { ServerFrame, splitLines } from "../../protocol/frames.ts";
import { parseJson } from "../../protocol/json.ts";

/**
 * One frame a room sent, looked at only as far as the gateway needs: most are handed on as the text they are, and a
 * thousand deliveries a second leave no time to parse each.
 */
export interface RoomFrame {
  type: string;
  /** The position in the room's order, of the frames that have one. */
  seq: number | undefined;
  text: string;
}

// Rooms write `type` first, then `roomId`, then `seq`. A quote inside a JSON string is always escaped, so none of these can
// match inside one.
const PREFIX = /^\{"type":"([a-z_]{1,32})"(?:,"roomId":"[A-Za-z0-9_-]{1,64}")?(?:,"seq":(\d{1,16})[,}])?/;
const LATER_SEQ = /,"seq":(\d{1,16})[,}]/;

/** The frames in one WebSocket message of a room; what is not a frame is left out. */
export function readRoomFrames(text: string): RoomFrame[] {
  if (!text.includes("\n")) return readRoomFrame(text);
  return splitLines(text).flatMap(readRoomFrame);
}

/** The frame in full, for the few kinds whose fields the gateway uses. */
export function parseRoomFrame(frame: RoomFrame): ServerFrame | undefined {
  const parsed = ServerFrame.safeParse(parseJson(frame.text));
  return parsed.success ? parsed.data : undefined;
}

/** A frame of the gateway's own making, as if the room had sent it. */
export function toRoomFrame(frame: ServerFrame): RoomFrame {
  return { type: frame.type, seq: frame.type === "message" ? frame.seq : undefined, text: JSON.stringify(frame) };
}

function readRoomFrame(text: string): RoomFrame[] {
  const match = PREFIX.exec(text);
  const type = match?.[1];
  if (type === undefined) return readSlowly(text);
  const seq = match?.[2] ?? LATER_SEQ.exec(text)?.[1];
  return [{ type, seq: seq === undefined ? undefined : Number(seq), text }];
}

function readSlowly(text: string): RoomFrame[] {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || !("type" in value) || typeof value.type !== "string") return [];
  const seq = "seq" in value && typeof value.seq === "number" ? value.seq : undefined;
  return [{ type: value.type, seq, text }];
}
