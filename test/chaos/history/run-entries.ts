import * as z from "zod";
import { At, N, Name } from "./fields.ts";

/** What the run itself did, and how its machine was. */

/** How the run was asked for, and the bounds it is judged by. */
const RunEntry = z.object({
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
const PhaseEntry = z.object({
  kind: z.literal("phase"),
  at: At,
  phase: z.enum(["calm", "faults", "healed", "settled", "ended"]),
});

/** A client, and the user that its token was issued to. */
const ClientEntry = z.object({
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

const FaultEntry = z.object({
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
const RefusedRowsEntry = z.object({
  kind: z.literal("refused_rows"),
  at: At,
  fault: z.int(),
  messages: z.array(N),
});

/**
 * The machine had no time: something that takes next to none took this long, and ended at `at`. Measured by a timer of the
 * run itself, and by asking the rooms' process, past all proxies, for an answer that needs no room.
 */
const LateEntry = z.object({
  kind: z.literal("late"),
  at: At,
  what: z.enum(["run", "rooms"]),
  ms: z.number(),
});

/** What the rooms' process holds. */
const MemoryEntry = z.object({
  kind: z.literal("memory"),
  at: At,
  bytes: z.number(),
});

/** Long enough after the last change that everybody must know who is where. */
const PresenceDueEntry = z.object({
  kind: z.literal("presence_due"),
  at: At,
});

/** A secret of the run stood where it must not stand. The secret itself is not written down. */
const LeakEntry = z.object({
  kind: z.literal("leak"),
  at: At,
  where: z.string(),
  secret: z.string(),
});

export const RUN_ENTRIES = [
  RunEntry,
  PhaseEntry,
  ClientEntry,
  FaultEntry,
  RefusedRowsEntry,
  LateEntry,
  MemoryEntry,
  PresenceDueEntry,
  LeakEntry,
] as const;
