import * as z from "zod/mini";
import { ERRORS, type ErrorCode } from "./errors.ts";
import { ChannelId, ClientMessageId, UserId } from "./ids.ts";
import { parseJson } from "./json.ts";

/** A position in a room's order: 1 for the first event, no gaps. 0 is "before everything". */
export const Seq = z.number().check(z.int(), z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));
const Timestamp = z.iso.datetime({ offset: true });
/** Which life of a room's order a `seq` belongs to. */
export const Epoch = z.string().check(z.regex(/^[A-Za-z0-9_-]{1,32}$/));
/** Where a client stopped reading. */
export const Since = z.strictObject({ epoch: Epoch, seq: Seq });
export type Since = z.infer<typeof Since>;

// What clients send. Strict: a field we do not know is a mistake or an attempt, and both deserve an answer.

export const MessageFrame = z.strictObject({
  type: z.literal("message"),
  roomId: z.optional(ChannelId),
  content: z.string(),
  clientMessageId: z.optional(ClientMessageId),
  timestamp: z.optional(z.string().check(z.maxLength(64))),
});
export const JoinRoomFrame = z.strictObject({
  type: z.literal("join_room"),
  roomId: ChannelId,
  since: z.optional(Since),
});
export const LeaveRoomFrame = z.strictObject({ type: z.literal("leave_room"), roomId: ChannelId });
export const TypingFrame = z.strictObject({
  type: z.literal("typing"),
  roomId: z.optional(ChannelId),
  isTyping: z.boolean(),
});
export const ReadFrame = z.strictObject({ type: z.literal("read"), roomId: z.optional(ChannelId), seq: Seq });
export const RefreshFrame = z.strictObject({ type: z.literal("refresh"), token: z.string() });
export const ReceivedFrame = z.strictObject({ type: z.literal("received"), roomId: z.optional(ChannelId), seq: Seq });
export const PingFrame = z.strictObject({ type: z.literal("ping") });
/** Only as the first frame of a socket that was opened without a token. */
export const AuthFrame = z.strictObject({ type: z.literal("auth"), token: z.string() });

export const ClientFrame = z.discriminatedUnion("type", [
  MessageFrame,
  JoinRoomFrame,
  LeaveRoomFrame,
  TypingFrame,
  ReadFrame,
  RefreshFrame,
  ReceivedFrame,
  PingFrame,
]);
export type ClientFrame = z.infer<typeof ClientFrame>;
export type ClientFrameType = ClientFrame["type"];

/** A message as every reader sees it: in a frame, and in a page of history. */
export const Message = z.object({
  messageId: z.string(),
  roomId: ChannelId,
  userId: UserId,
  username: z.string(),
  content: z.string(),
  timestamp: Timestamp,
  seq: Seq,
  clientMessageId: z.optional(ClientMessageId),
});
export type Message = z.infer<typeof Message>;

/** A member of a room as its list shows one. */
export const RoomMember = z.object({ userId: UserId, username: z.string(), status: z.enum(["online", "offline"]) });
export type RoomMember = z.infer<typeof RoomMember>;

// What the server sends. Open objects: a client of today must accept a field of tomorrow.

export const WelcomeFrame = z.object({
  type: z.literal("welcome"),
  connectionId: z.string(),
  userId: UserId,
  serverTime: Timestamp,
  limits: z.object({
    messageMaxLength: z.number(),
    messageMaxBytes: z.number(),
    frameMaxBytes: z.number(),
    messagesPerWindow: z.number(),
    windowMs: z.number(),
  }),
  expiresAt: Timestamp,
});
export const RoomJoinedFrame = z.object({
  type: z.literal("room_joined"),
  roomId: ChannelId,
  memberCount: z.number(),
  members: z.array(RoomMember),
  epoch: Epoch,
  seq: Seq,
  messages: z.array(Message),
  recovered: z.boolean(),
});
export const RoomLeftFrame = z.object({ type: z.literal("room_left"), roomId: ChannelId });
export const RoomMessageFrame = z.object({ type: z.literal("message"), ...Message.shape });
export const AckFrame = z.object({
  type: z.literal("ack"),
  roomId: ChannelId,
  clientMessageId: z.optional(ClientMessageId),
  messageId: z.string(),
  seq: Seq,
  epoch: Epoch,
  timestamp: Timestamp,
  duplicate: z.boolean(),
  /** What the filter did to the message; absent when it found nothing. */
  moderation: z.optional(z.enum(["masked", "flagged"])),
});
export const PresenceFrame = z.object({
  type: z.literal("presence"),
  roomId: ChannelId,
  userId: UserId,
  username: z.string(),
  status: z.enum(["online", "offline"]),
  lastSeen: Timestamp,
});
/** One person's coming or going among several. */
const PresenceChange = z.omit(PresenceFrame, { type: true, roomId: true });
/** Several people came or went at about the same time. */
export const PresenceChangesFrame = z.object({
  type: z.literal("presence_changes"),
  roomId: ChannelId,
  memberCount: z.number(),
  changes: z.array(PresenceChange),
});
/** Above 200 people a room tells how many there are instead of who came and went. */
export const PresenceCountFrame = z.object({
  type: z.literal("presence_count"),
  roomId: ChannelId,
  memberCount: z.number(),
  sample: z.array(RoomMember),
});
export const TypingIndicatorFrame = z.object({
  type: z.literal("typing_indicator"),
  roomId: ChannelId,
  userId: UserId,
  username: z.string(),
  isTyping: z.boolean(),
});
export const ReadMarkFrame = z.object({ type: z.literal("read"), roomId: ChannelId, userId: UserId, seq: Seq });
export const HeadsFrame = z.object({ type: z.literal("heads"), rooms: z.record(ChannelId, Seq) });
export const ErrorFrame = z.object({
  type: z.literal("error"),
  code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  roomId: z.optional(ChannelId),
  clientMessageId: z.optional(z.string()),
  retryAfterMs: z.optional(z.number()),
});
export const PongFrame = z.object({ type: z.literal("pong") });

export const ServerFrame = z.discriminatedUnion("type", [
  WelcomeFrame,
  RoomJoinedFrame,
  RoomLeftFrame,
  RoomMessageFrame,
  AckFrame,
  PresenceFrame,
  PresenceChangesFrame,
  PresenceCountFrame,
  TypingIndicatorFrame,
  ReadMarkFrame,
  HeadsFrame,
  ErrorFrame,
  PongFrame,
]);
export type ServerFrame = z.infer<typeof ServerFrame>;
export type ServerFrameOf<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;

const CLIENT_TYPES: ReadonlySet<unknown> = new Set<ClientFrameType>([
  "message",
  "join_room",
  "leave_room",
  "typing",
  "read",
  "refresh",
  "received",
  "ping",
]);

/** What came of a client's text: a frame, or the error to answer with and the client id to name in it. */
export type ParsedFrame =
  | { ok: true; frame: ClientFrame }
  | {
      ok: false;
      code: "bad_frame" | "unknown_type";
      detail: string;
      clientMessageId?: ClientMessageId;
      roomId?: ChannelId;
    };

/** Parses one frame (one JSON object) a client sent. Never throws. */
export function parseClientFrame(text: string): ParsedFrame {
  const receipt = RECEIPT.exec(text);
  if (receipt !== null) return { ok: true, frame: toReceipt(receipt) };
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { ok: false, code: "bad_frame", detail: "A frame is one JSON object" };
  const parsed = ClientFrame.safeParse(value);
  if (parsed.success) return { ok: true, frame: parsed.data };
  const raw = value as Record<string, unknown>; // an object, as checked above
  const named = namedIn(raw);
  if (typeof raw["type"] === "string" && !CLIENT_TYPES.has(raw["type"]))
    return { ok: false, code: "unknown_type", detail: "There is no frame of that type", ...named };
  return { ok: false, code: "bad_frame", detail: firstIssue(parsed.error), ...named };
}

/** The frames in one WebSocket message of a `chat.v1.lines` socket: one JSON object per line. */
export function splitLines(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

// Every reader says this every 32 messages, in full rooms more often than anything else: read without the schema where it
// is written as clients write it. Anything else that may mean the same goes the long way.
const RECEIPT = /^\{"type":"received"(?:,"roomId":"([A-Za-z0-9_-]{1,64})")?,"seq":(0|[1-9]\d{0,14})\}$/;

function toReceipt([, roomId, seq]: RegExpExecArray): z.infer<typeof ReceivedFrame> {
  // The pattern is that of the schema, as a test holds.
  return { type: "received", ...(roomId !== undefined && { roomId: roomId as ChannelId }), seq: Number(seq) };
}

function namedIn(raw: Record<string, unknown>): { clientMessageId?: ClientMessageId; roomId?: ChannelId } {
  const cid = ClientMessageId.safeParse(raw["clientMessageId"]);
  const room = ChannelId.safeParse(raw["roomId"]);
  return { ...(cid.success && { clientMessageId: cid.data }), ...(room.success && { roomId: room.data }) };
}

/** The first thing wrong with a value, in words: `Cannot read "seq": expected number`. Never quotes the value itself. */
export function firstIssue(error: z.core.$ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "It does not have the documented shape";
  const path = issue.path.map(String).join(".");
  return path === "" ? `Cannot take this: ${problemIn(issue)}` : `Cannot read "${path}": ${problemIn(issue)}`;
}

// The small zod has no words of its own, only what it found.
function problemIn(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${issue.expected}`;
    case "unrecognized_keys":
      return `unknown field ${issue.keys.map((key) => (/^\w{1,40}$/.test(key) ? `"${key}"` : "with a strange name")).join(", ")}`;
    case "invalid_value":
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "too_small":
      return `must be at least ${issue.minimum}${issue.origin === "string" ? " characters" : ""}`;
    case "too_big":
      return `must be at most ${issue.maximum}${issue.origin === "string" ? " characters" : ""}`;
    default:
      return issue.message === "Invalid input" ? "must have the documented shape" : issue.message;
  }
}

/** The subprotocols a server may choose. `chat.token.<jwt>` is offered beside them and never chosen. */
export const SUBPROTOCOLS = ["chat.v1.lines", "chat.v1"] as const;
export type Subprotocol = (typeof SUBPROTOCOLS)[number];
export const TOKEN_SUBPROTOCOL_PREFIX = "chat.token.";
