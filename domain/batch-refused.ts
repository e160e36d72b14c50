import { ChatError } from "../protocol/errors.ts";
import type { RoomEvent } from "./ports/history.ts";

/** An event that history cannot take, however often it is offered. */
export interface RefusedEvent {
  seq: number;
  /**
   * `conflict`: another event has its place or its client message id. `unstorable`: the database cannot hold its content.
   */
  reason: "conflict" | "unstorable";
}

/**
 * Some events of a batch can never be written; all the others, its members and its read marks have been. The room sets
 * the refused ones aside and goes on.
 */
export class BatchRefused extends ChatError {
  readonly refused: readonly RefusedEvent[];
  constructor(refused: readonly RefusedEvent[], cause?: unknown) {
    super("duplicate_conflict", { detail: "History cannot take some events of the batch", cause });
    this.name = "BatchRefused";
    this.refused = refused;
  }
}

/** The events that history might take without their client id. */
export function withoutClientIds(events: readonly RoomEvent[], { refused }: BatchRefused): RoomEvent[] {
  const conflicts = refused.filter(({ reason }) => reason === "conflict");
  return events
    .filter(({ seq, clientMessageId }) => clientMessageId !== null && hasSeq(conflicts, seq))
    .map((event) => ({ ...event, clientMessageId: null }));
}

/** Whether one of them has this `seq`. */
export function hasSeq(rows: readonly { seq: number }[], seq: number): boolean {
  return rows.some((row) => row.seq === seq);
}
