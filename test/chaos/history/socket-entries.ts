import * as z from "zod";
import { At, N, Name, OnSocket, OnSocketOfRoom, Seq } from "./fields.ts";

/** A socket's life, and how its client reads from it. */

const Since = z.object({ epoch: z.string(), seq: Seq });

const OpenedEntry = z.object({
  kind: z.literal("opened"),
  ...OnSocket,
});

const ClosedEntry = z.object({
  kind: z.literal("closed"),
  ...OnSocket,
  code: z.int(),
  /** Whether the client closed it. */
  wanted: z.boolean(),
});

const JoinedEntry = z.object({
  kind: z.literal("joined"),
  ...OnSocketOfRoom,
  epoch: z.string(),
  seq: Seq,
  /** Where the client said that it had stopped reading. */
  since: z.optional(Since),
  recovered: z.boolean(),
  messages: z.array(N),
  online: z.array(Name),
});

const LeftEntry = z.object({
  kind: z.literal("left"),
  ...OnSocketOfRoom,
  /** Whether the client asked for it. */
  wanted: z.boolean(),
});

/** The client reads nothing from the socket until then, as of its own will. */
const PausedEntry = z.object({
  kind: z.literal("paused"),
  ...OnSocket,
  until: At,
});

/** The client said how far it had received. */
const ReceivedEntry = z.object({
  kind: z.literal("received"),
  ...OnSocketOfRoom,
  seq: Seq,
});

export const SOCKET_ENTRIES = [OpenedEntry, ClosedEntry, JoinedEntry, LeftEntry, PausedEntry, ReceivedEntry] as const;
