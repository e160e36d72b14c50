import * as z from "zod";
import { KEPT_ENTRIES } from "./kept-entries.ts";
import { RUN_ENTRIES } from "./run-entries.ts";
import { SEEN_ENTRIES } from "./seen-entries.ts";
import { SENDING_ENTRIES } from "./sending-entries.ts";
import { SOCKET_ENTRIES } from "./socket-entries.ts";

/**
 * What a chaos run writes down, one JSON object a line, in the order it happened. Every claim that a run makes can be
 * checked again from this file alone, by somebody who has nothing but the file.
 *
 * `at` is milliseconds since the run began, as are all times here. Sockets are numbered for the whole run. `content` is a
 * hash: two messages of a run never have the same content on purpose.
 */
export const Entry = z.discriminatedUnion("kind", [
  ...RUN_ENTRIES,
  ...SENDING_ENTRIES,
  ...SOCKET_ENTRIES,
  ...SEEN_ENTRIES,
  ...KEPT_ENTRIES,
]);
export type Entry = z.infer<typeof Entry>;
export type EntryKind = Entry["kind"];
export type EntryOf<Kind extends EntryKind> = Extract<Entry, { kind: Kind }>;
