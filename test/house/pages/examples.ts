import type { ClientFrame, ServerFrame } from "../../../protocol/frames.ts";

const AT = "2026-11-21T09:30:00.000Z";
const ALICE = { userId: "alice", username: "Alice" };
const FIRST = {
  messageId: "01jd6v3k8x2m4n6p",
  roomId: "lobby",
  ...ALICE,
  content: "Hello everyone!",
  timestamp: AT,
  seq: 41,
};

type FirstFrame = "auth";

/** One frame of each type a client may send, as `docs/protocol.md` shows it. */
export const CLIENT_EXAMPLES: Record<ClientFrame["type"] | FirstFrame, unknown> = {
  auth: { type: "auth", token: "eyJhbGciOiJIUzI1NiIs…" },
  message: {
    type: "message",
    roomId: "lobby",
    content: "Hello everyone!",
    clientMessageId: "m-7f3a9c01",
    timestamp: AT,
  },
  join_room: { type: "join_room", roomId: "development", since: { epoch: "e5x0k2", seq: 40 } },
  leave_room: { type: "leave_room", roomId: "development" },
  typing: { type: "typing", roomId: "lobby", isTyping: true },
  read: { type: "read", roomId: "lobby", seq: 41 },
  refresh: { type: "refresh", token: "eyJhbGciOiJIUzI1NiIs…" },
  received: { type: "received", roomId: "lobby", seq: 41 },
  ping: { type: "ping" },
};

/** One frame of each type the server may send. */
export const SERVER_EXAMPLES: Record<ServerFrame["type"], unknown> = {
  welcome: {
    type: "welcome",
    connectionId: "0f1e2d3c-4b5a-4968-8776-655443322110",
    userId: "alice",
    serverTime: AT,
    limits: {
      messageMaxLength: 1000,
      messageMaxBytes: 4096,
      frameMaxBytes: 16384,
      messagesPerWindow: 30,
      windowMs: 60000,
    },
    expiresAt: "2026-11-22T09:30:00.000Z",
  },
  room_joined: {
    type: "room_joined",
    roomId: "lobby",
    memberCount: 2,
    members: [
      { ...ALICE, status: "online" },
      { userId: "bob", username: "Bob", status: "online" },
    ],
    epoch: "e5x0k2",
    seq: 41,
    messages: [FIRST],
    recovered: true,
  },
  room_left: { type: "room_left", roomId: "development" },
  message: { type: "message", ...FIRST },
  ack: {
    type: "ack",
    roomId: "lobby",
    clientMessageId: "m-7f3a9c01",
    messageId: "01jd6v3k8x2m4n6p",
    seq: 41,
    epoch: "e5x0k2",
    timestamp: AT,
    duplicate: false,
  },
  presence: { type: "presence", roomId: "lobby", ...ALICE, status: "online", lastSeen: AT },
  presence_changes: {
    type: "presence_changes",
    roomId: "lobby",
    memberCount: 3,
    changes: [
      { ...ALICE, status: "offline", lastSeen: AT },
      ...["bob", "carol", "dave"].map((userId) => ({ userId, username: userId, status: "online", lastSeen: AT })),
    ],
  },
  presence_count: {
    type: "presence_count",
    roomId: "lobby",
    memberCount: 1204,
    sample: [{ ...ALICE, status: "online" }],
  },
  typing_indicator: { type: "typing_indicator", roomId: "lobby", ...ALICE, isTyping: true },
  read: { type: "read", roomId: "lobby", userId: "bob", seq: 41 },
  heads: { type: "heads", rooms: { lobby: 41, development: 7 } },
  error: {
    type: "error",
    code: "rate_limited",
    message: "Too many requests",
    roomId: "lobby",
    clientMessageId: "m-7f3a9c01",
    retryAfterMs: 12000,
  },
  pong: { type: "pong" },
};
