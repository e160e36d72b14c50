import type { Message, ServerFrame } from "../protocol/frames.ts";

/** A frame as a server of tomorrow may send it: of a type that is not known here, but with a place in a room's order. */
export interface LaterFrame {
  type: "later";
  roomId: string;
  seq: number;
}

const MESSAGE = "messageId roomId userId username content timestamp seq";
const PERSON = "userId username status";
// The fields that each type must have. What kind a field is follows from its name, which means the same everywhere.
const SHAPES = new Map<unknown, string>([
  ["welcome", "userId serverTime expiresAt limits"],
  ["room_joined", "roomId memberCount epoch seq recovered members messages"],
  ["message", MESSAGE],
  ["ack", "roomId messageId seq epoch timestamp duplicate"],
  ["presence", `roomId ${PERSON}`],
  ["presence_changes", "roomId memberCount changes"],
  ["presence_count", "roomId memberCount sample"],
  ["typing_indicator", "roomId userId username isTyping"],
  ["read", "roomId userId seq"],
  ["heads", "rooms"],
  ["error", "code message"],
]);
const LISTS = new Map([
  ["members", PERSON],
  ["changes", PERSON],
  ["sample", PERSON],
  ["messages", MESSAGE],
]);

/**
 * Reads one line of the server's.
 *
 * @returns "bad" for what is not a frame or lacks what its type must have; undefined for types that mean nothing here.
 */
export function readFrame(line: string): ServerFrame | LaterFrame | "bad" | undefined {
  const frame = parse(line);
  if (!isObject(frame) || typeof frame["type"] !== "string") return "bad";
  const { type, roomId, seq } = frame;
  const shape = SHAPES.get(type);
  if (shape !== undefined) return fits(frame, shape) ? (frame as ServerFrame) : "bad"; // as just checked
  return typeof roomId === "string" && isCount(seq) ? { type: "later", roomId, seq } : undefined;
}

/** The messages of a page of history; undefined when it is not one. */
export function readMessages(page: Record<string, unknown>): Message[] | undefined {
  return fits(page, "messages") ? (page["messages"] as Message[]) : undefined; // as just checked
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not JSON
  }
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0; // a number, as just checked
}

function fits(value: unknown, shape: string): boolean {
  return isObject(value) && shape.split(" ").every((name) => hasField(value[name], name));
}

function hasField(value: unknown, name: string): boolean {
  const items = LISTS.get(name);
  if (items !== undefined) return Array.isArray(value) && value.every((item) => fits(item, items));
  if (/^(seq|memberCount)$/.test(name)) return isCount(value);
  if (/^(recovered|duplicate|isTyping)$/.test(name)) return typeof value === "boolean";
  return /^(limits|rooms)$/.test(name) ? isObject(value) : typeof value === "string";
}
