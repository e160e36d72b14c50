import type { Message, ServerFrame } from "../protocol/frames.ts";

/** A frame as a server of tomorrow may send it: of a type that is not known here, but with a place in a room's order. */
export interface LaterFrame {
  type: "later";
  roomId: string;
  seq: number;
}

// Fields by kind: "#" a position or count, "?" a boolean, "{" an object, "[" a list of what is named after "of", else text.
const MESSAGE = "messageId roomId userId username content timestamp #seq";
const PERSON = "userId username status";
const SHAPES = new Map<unknown, string>([
  ["welcome", "userId serverTime expiresAt {limits"],
  ["room_joined", `roomId #memberCount epoch #seq ?recovered [members:${PERSON} [messages:${MESSAGE}`],
  ["room_left", "roomId"],
  ["message", MESSAGE],
  ["ack", "roomId messageId #seq epoch timestamp ?duplicate"],
  ["presence", `roomId ${PERSON}`],
  ["presence_changes", `roomId #memberCount [changes:${PERSON}`],
  ["presence_count", `roomId #memberCount [sample:${PERSON}`],
  ["typing_indicator", "roomId userId username ?isTyping"],
  ["read", "roomId userId #seq"],
  ["heads", "{rooms"],
  ["error", "code message"],
  ["pong", ""],
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
export function readMessages(page: unknown): Message[] | undefined {
  return isObject(page) && fits(page, `[messages:${MESSAGE}`) ? (page["messages"] as Message[]) : undefined; // as just checked
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

function fits(value: Record<string, unknown>, shape: string): boolean {
  const [own = "", ...lists] = shape.split("[");
  return own.split(" ").every((field) => hasField(value, field)) && lists.every((list) => hasList(value, list));
}

function hasList(value: Record<string, unknown>, list: string): boolean {
  const [name = "", shape = ""] = list.split(":");
  const items = value[name];
  return Array.isArray(items) && items.every((item) => isObject(item) && fits(item, shape.trim()));
}

function hasField(value: Record<string, unknown>, field: string): boolean {
  const name = field.slice(1);
  if (field === "") return true;
  if (field[0] === "#") return isCount(value[name]);
  if (field[0] === "?") return typeof value[name] === "boolean";
  if (field[0] === "{") return isObject(value[name]);
  return typeof value[field] === "string";
}
