import * as z from "zod";
import { At, InRoom, N, Name, Seq } from "./fields.ts";

/** What HTTP answered, and what Postgres holds. */

/** A page of history that a client read over HTTP with success. */
const PageEntry = z.object({
  kind: z.literal("page"),
  ...InRoom,
  /** When it was asked for. */
  askedAt: At,
  before: z.optional(Seq),
  after: z.optional(Seq),
  limit: z.int(),
  /** It was read to fill a gap in the client's view, from where that ended. */
  fills: z.boolean(),
  messages: z.array(N),
});

/** An HTTP answer, of whatever kind; 0 stands for none. */
const RequestEntry = z.object({
  kind: z.literal("request"),
  at: At,
  route: z.string(),
  status: z.int(),
  code: z.optional(z.string()),
});

/** What came to Postgres of a room since the last look: `count` rows from `first` to `last`, after `after`. */
const RowsEntry = z.object({
  kind: z.literal("rows"),
  at: At,
  room: Name,
  after: Seq,
  count: z.int(),
  first: Seq,
  last: Seq,
});

/** Who was live in a room when nothing had been wrong for long, as an HTTP answer says. */
const RosterEntry = z.object({
  kind: z.literal("roster"),
  at: At,
  room: Name,
  online: z.array(Name),
});

/** At the end: everything that HTTP tells of a room, and everything that Postgres holds of it. */
const HistoryEntry = z.object({
  kind: z.literal("history"),
  at: At,
  room: Name,
  source: z.enum(["http", "postgres"]),
  messages: z.array(N),
});

export const KEPT_ENTRIES = [PageEntry, RequestEntry, RowsEntry, RosterEntry, HistoryEntry] as const;
