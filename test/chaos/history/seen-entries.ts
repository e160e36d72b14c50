import * as z from "zod";
import { At, InRoom, N, Name, OnSocket, OnSocketOfRoom, Seq } from "./fields.ts";

/** What clients saw: messages, people, typing. */

/** One message as it was visible somewhere: a second entry for one `seq` means that two readers saw different things. */
const MessageEntry = z.object({
  kind: z.literal("message"),
  at: At,
  n: N,
  room: Name,
  seq: Seq,
  id: z.string(),
  user: Name,
  content: z.string(),
});

/** Messages that came on a socket, in the order they came; `at` is when the first did, `until` when the last did. */
const SawEntry = z.object({
  kind: z.literal("saw"),
  ...OnSocketOfRoom,
  until: At,
  messages: z.array(N),
});

/** Everything an app shows of a room through an SDK at that time: the messages, and the ids of those on their way. */
const ShownEntry = z.object({
  kind: z.literal("shown"),
  ...InRoom,
  messages: z.array(N),
  sending: z.array(z.string()),
});

const PresenceEntry = z.object({
  kind: z.literal("presence"),
  ...OnSocketOfRoom,
  online: z.array(Name),
  offline: z.array(Name),
  /** It names everybody: who is not in `online` is not there. */
  whole: z.optional(z.boolean()),
});

/** A client said that it types, or no longer does. */
const TypedEntry = z.object({
  kind: z.literal("typed"),
  ...InRoom,
  isTyping: z.boolean(),
});

/** A client was told that somebody types, or no longer does. */
const TypingEntry = z.object({
  kind: z.literal("typing"),
  ...OnSocketOfRoom,
  user: Name,
  isTyping: z.boolean(),
});

const HeadsEntry = z.object({
  kind: z.literal("heads"),
  ...OnSocket,
  rooms: z.record(z.string(), Seq),
});

export const SEEN_ENTRIES = [
  MessageEntry,
  SawEntry,
  ShownEntry,
  PresenceEntry,
  TypedEntry,
  TypingEntry,
  HeadsEntry,
] as const;
