import * as z from "zod";

/**
 * What a chaos run writes down, one JSON object a line, in the order it happened. Every claim that a run makes can be
 * checked again from this file alone, by somebody who has nothing but the file.
 *
 * `at` is milliseconds since the run began, as are all times here. Sockets are numbered for the whole run. `content` is a
 * hash: two messages of a run never have the same content on purpose.
 */

const At = z.number();
/** A room's id, a client's name, a user's id. */
const Name = z.string();
const Seq = z.int().gte(0);
/** The number of a `message` entry: a message that is seen a thousand times is written down once. */
const N = z.int().gte(0);
const Since = z.object({ epoch: z.string(), seq: Seq });

/** How the run was asked for, and the bounds it is judged by. */
export const RunEntry = z.object({
  kind: z.literal("run"),
  at: At,
  seed: z.int(),
  startedAt: z.string(),
  command: z.string(),
  bounds: z.object({
    /** What the rooms' process may hold. */
    memoryBytes: z.number(),
    /** Messages of one room that may wait for Postgres. */
    waiting: z.int(),
    /** How far behind the last `received` a socket may be pushed to. */
    unacknowledged: z.int(),
    /** An ack that takes less is fast, whatever it took in the calm: machines have other things to do as well. */
    fastAckMs: z.number(),
  }),
});

/** The parts of a run: `calm` is before the first fault, `healed` after the last. `settled` is when everybody saw the same. */
export const PHASES = ["calm", "faults", "healed", "settled", "ended"] as const;
export const PhaseEntry = z.object({ kind: z.literal("phase"), at: At, phase: z.enum(PHASES) });

/** A client, and the user that its token was issued to. */
export const ClientEntry = z.object({
  kind: z.literal("client"),
  at: At,
  client: Name,
  user: Name,
  /** `offender`s break rules on purpose, and may be sent away for it; `deaf` ones never say what they received. */
  role: z.enum(["member", "offender", "deaf"]),
  /**
   * An SDK: its `saw`s are what an app is told, in order, whatever came on its sockets. `joined` then says where it goes
   * on, and no fault excuses a gap.
   */
  sdk: z.optional(z.boolean()),
});

/** One message as it was visible somewhere: a second entry for one `seq` means that two readers saw different things. */
export const MessageEntry = z.object({
  kind: z.literal("message"),
  at: At,
  n: N,
  room: Name,
  seq: Seq,
  id: z.string(),
  user: Name,
  content: z.string(),
});

/** One attempt to send a message. */
export const SendEntry = z.object({
  kind: z.literal("send"),
  at: At,
  client: Name,
  socket: z.int(),
  room: Name,
  /** The client's own id of it. */
  id: z.string(),
  content: z.string(),
});
export const AckEntry = z.object({
  kind: z.literal("ack"),
  at: At,
  client: Name,
  socket: z.int(),
  room: Name,
  id: z.string(),
  message: z.string(),
  seq: Seq,
  epoch: z.string(),
  duplicate: z.boolean(),
  /** Since the newest attempt; absent when the client was no longer waiting for it. */
  ms: z.optional(z.number()),
});
/** An error that names a message of the client's. */
export const RefusalEntry = z.object({
  kind: z.literal("refusal"),
  at: At,
  client: Name,
  socket: z.int(),
  room: Name,
  id: z.string(),
  code: z.string(),
});
/** An error that names none. */
export const ErrorEntry = z.object({
  kind: z.literal("error"),
  at: At,
  client: Name,
  socket: z.int(),
  room: z.optional(Name),
  code: z.string(),
});

export const OpenedEntry = z.object({ kind: z.literal("opened"), at: At, client: Name, socket: z.int() });
export const ClosedEntry = z.object({
  kind: z.literal("closed"),
  at: At,
  client: Name,
  socket: z.int(),
  code: z.int(),
  /** Whether the client closed it. */
  wanted: z.boolean(),
});
export const JoinedEntry = z.object({
  kind: z.literal("joined"),
  at: At,
  client: Name,
  socket: z.int(),
  room: Name,
  epoch: z.string(),
  seq: Seq,
  /** Where the client said that it had stopped reading. */
  since: z.optional(Since),
  recovered: z.boolean(),
  messages: z.array(N),
  online: z.array(Name),
});
export const LeftEntry = z.object({
  kind: z.literal("left"),
  at: At,
  client: Name,
  socket: z.int(),
  room: Name,
  /** Whether the client asked for it. */
  wanted: z.boolean(),
});
/** Messages that came on a socket, in the order they came; `at` is when the first did, `until` when the last did. */
export const SawEntry = z.object({
  kind: z.literal("saw"),
  at: At,
  until: At,
  client: Name,
  socket: z.int(),
  room: Name,
  messages: z.array(N),
});
/** Everything an app shows of a room through an SDK at that time: the messages, and the ids of those on their way. */
export const ShownEntry = z.object({
  kind: z.literal("shown"),
  at: At,
  client: Name,
  room: Name,
  messages: z.array(N),
  sending: z.array(z.string()),
});
/** The client reads nothing from the socket until then, as of its own will. */
export const PausedEntry = z.object({
  kind: z.literal("paused"),
  at: At,
  client: Name,
  socket: z.int(),
  until: At,
});
/** The client said how far it had received. */
export const ReceivedEntry = z.object({
  kind: z.literal("received"),
  at: At,
  client: Name,
  socket: z.int(),
  room: Name,
  seq: Seq,
});
export const PresenceEntry = z.object({
  kind: z.literal("presence"),
  at: At,
  client: Name,
  socket: z.int(),
  room: Name,
  online: z.array(Name),
  offline: z.array(Name),
  /** It names everybody: who is not in `online` is not there. */
  whole: z.optional(z.boolean()),
});
/** A client said that it types, or no longer does. */
export const TypedEntry = z.object({
  kind: z.literal("typed"),
  at: At,
  client: Name,
  room: Name,
  isTyping: z.boolean(),
});
/** A client was told that somebody types, or no longer does. */
export const TypingEntry = z.object({
  kind: z.literal("typing"),
  at: At,
  client: Name,
  socket: z.int(),
  room: Name,
  user: Name,
  isTyping: z.boolean(),
});
export const HeadsEntry = z.object({
  kind: z.literal("heads"),
  at: At,
  client: Name,
  socket: z.int(),
  rooms: z.record(z.string(), Seq),
});

/** A page of history that a client read over HTTP with success. */
export const PageEntry = z.object({
  kind: z.literal("page"),
  at: At,
  client: Name,
  room: Name,
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
export const RequestEntry = z.object({
  kind: z.literal("request"),
  at: At,
  route: z.string(),
  status: z.int(),
  code: z.optional(z.string()),
});

export const FaultEntry = z.object({
  kind: z.literal("fault"),
  at: At,
  fault: z.int(),
  name: z.string(),
  phase: z.enum(["begin", "end"]),
  /** It concerns this room only. */
  room: z.optional(Name),
  /** It loses, doubles or swaps frames by itself, so streams and sends may arrive that way. */
  mangles: z.boolean(),
  /** It makes things late by itself, or makes clocks wrong. */
  delays: z.boolean(),
  /** Rooms depend on what it breaks for their acks. */
  slowsAcks: z.boolean(),
  /** Known at the end. */
  hadEffect: z.optional(z.boolean()),
  detail: z.optional(z.string()),
});
/** Messages whose rows this fault would have made Postgres refuse, whenever they came: which of them came then is not said. */
export const RefusedRowsEntry = z.object({
  kind: z.literal("refused_rows"),
  at: At,
  fault: z.int(),
  messages: z.array(N),
});

/**
 * The machine had no time: something that takes next to none took this long, and ended at `at`. Measured by a timer of the
 * run itself, and by asking the rooms' process, past all proxies, for an answer that needs no room.
 */
export const LateEntry = z.object({ kind: z.literal("late"), at: At, what: z.enum(["run", "rooms"]), ms: z.number() });

/** What the rooms' process holds. */
export const MemoryEntry = z.object({ kind: z.literal("memory"), at: At, bytes: z.number() });
/** What came to Postgres of a room since the last look: `count` rows from `first` to `last`, after `after`. */
export const RowsEntry = z.object({
  kind: z.literal("rows"),
  at: At,
  room: Name,
  after: Seq,
  count: z.int(),
  first: Seq,
  last: Seq,
});
/** Who was live in a room when nothing had been wrong for long, as an HTTP answer says. */
export const RosterEntry = z.object({ kind: z.literal("roster"), at: At, room: Name, online: z.array(Name) });
/** Long enough after the last change that everybody must know who is where. */
export const PresenceDueEntry = z.object({ kind: z.literal("presence_due"), at: At });

/** At the end: everything that HTTP tells of a room, and everything that Postgres holds of it. */
export const HistoryEntry = z.object({
  kind: z.literal("history"),
  at: At,
  room: Name,
  source: z.enum(["http", "postgres"]),
  messages: z.array(N),
});
/** A secret of the run stood where it must not stand. The secret itself is not written down. */
export const LeakEntry = z.object({ kind: z.literal("leak"), at: At, where: z.string(), secret: z.string() });

export const Entry = z.discriminatedUnion("kind", [
  RunEntry,
  PhaseEntry,
  ClientEntry,
  MessageEntry,
  SendEntry,
  AckEntry,
  RefusalEntry,
  ErrorEntry,
  OpenedEntry,
  ClosedEntry,
  JoinedEntry,
  LeftEntry,
  SawEntry,
  ShownEntry,
  PausedEntry,
  ReceivedEntry,
  PresenceEntry,
  TypedEntry,
  TypingEntry,
  HeadsEntry,
  PageEntry,
  RequestEntry,
  FaultEntry,
  RefusedRowsEntry,
  LateEntry,
  MemoryEntry,
  RowsEntry,
  RosterEntry,
  PresenceDueEntry,
  HistoryEntry,
  LeakEntry,
]);
export type Entry = z.infer<typeof Entry>;
export type EntryKind = Entry["kind"];
export type EntryOf<Kind extends EntryKind> = Extract<Entry, { kind: Kind }>;
