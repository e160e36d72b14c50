import * as z from "zod";
import { Name, OnSocket, OnSocketOfRoom, Seq } from "./fields.ts";

/** What clients sent, and what they were answered. */

/** One attempt to send a message. */
const SendEntry = z.object({
  kind: z.literal("send"),
  ...OnSocketOfRoom,
  /** The client's own id of it. */
  id: z.string(),
  content: z.string(),
});

const AckEntry = z.object({
  kind: z.literal("ack"),
  ...OnSocketOfRoom,
  id: z.string(),
  message: z.string(),
  seq: Seq,
  epoch: z.string(),
  duplicate: z.boolean(),
  /** Since the newest attempt; absent when the client was no longer waiting for it. */
  ms: z.optional(z.number()),
});

/** An error that names a message of the client's. */
const RefusalEntry = z.object({
  kind: z.literal("refusal"),
  ...OnSocketOfRoom,
  id: z.string(),
  code: z.string(),
});

/** An error that names none. */
const ErrorEntry = z.object({
  kind: z.literal("error"),
  ...OnSocket,
  room: z.optional(Name),
  code: z.string(),
});

export const SENDING_ENTRIES = [SendEntry, AckEntry, RefusalEntry, ErrorEntry] as const;
