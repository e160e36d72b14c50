import type { RoomEvent } from "../ports/history.ts";

/** More than comes while one batch is being written, in a room as busy as it gets. */
const FRESH_MAX_EVENTS = 2_000;
const FRESH_MAX_BYTES = 1024 * 1024;

/** The newest of the events that history does not have yet, so that they need not be read from storage for it. */
export class Fresh {
  #events: { event: RoomEvent; bytes: number }[] = [];
  #bytes = 0;

  /** The event after the one pushed last. */
  push(event: RoomEvent, bytes: number): void {
    this.#events.push({ event, bytes });
    this.#bytes += bytes;
    if (this.#events.length > FRESH_MAX_EVENTS || this.#bytes > FRESH_MAX_BYTES)
      this.#drop(Math.ceil(this.#events.length / 2));
  }

  /** The events after `seq`, at most `limit`; undefined when the first of them is not here. */
  after(seq: number, limit: number): RoomEvent[] | undefined {
    const from = seq + 1 - (this.#events[0]?.event.seq ?? Infinity);
    return from < 0 ? undefined : this.#events.slice(from, from + limit).map(({ event }) => event);
  }

  /** Forgets everything up to and including `seq`. */
  forget(seq: number): void {
    this.#drop(Math.max(0, seq + 1 - (this.#events[0]?.event.seq ?? Infinity)));
  }

  clear(): void {
    this.#events = [];
    this.#bytes = 0;
  }

  #drop(count: number): void {
    for (const { bytes } of this.#events.splice(0, count)) this.#bytes -= bytes;
  }
}
