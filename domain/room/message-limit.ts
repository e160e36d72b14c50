import type { UserId } from "../../protocol/ids.ts";

/** How many messages a user may send in a room in a sliding window; all of a user's sockets count together. */
export class MessageLimit {
  readonly #max: number;
  readonly #windowMs: number;
  readonly #sent = new Map<UserId, number[]>();
  readonly #refused = new Map<UserId, number[]>();

  constructor({ max, windowMs }: { max: number; windowMs: number }) {
    this.#max = max;
    this.#windowMs = windowMs;
  }

  /** @returns milliseconds until the user may send again; undefined when they may now. */
  waitMs(userId: UserId, now: number): number | undefined {
    const times = this.#recent(this.#sent, userId, now);
    const oldest = times.at(-this.#max);
    if (oldest === undefined) return undefined;
    return Math.min(this.#windowMs, Math.max(1, oldest + this.#windowMs - now));
  }

  /** Counts a message that was kept. Also called for each message of the log when a room wakes. */
  note(userId: UserId, at: number): void {
    push(this.#sent, userId, at);
  }

  /** Counts a refusal. @returns how many there were in the window, this one included. */
  refuse(userId: UserId, now: number): number {
    push(this.#refused, userId, now);
    return this.#recent(this.#refused, userId, now).length;
  }

  /** Forgets what no longer counts, so that memory follows the people who write and not all who ever did. */
  forget(now: number): void {
    for (const times of [this.#sent, this.#refused])
      for (const userId of times.keys()) if (this.#recent(times, userId, now).length === 0) times.delete(userId);
  }

  #recent(all: Map<UserId, number[]>, userId: UserId, now: number): number[] {
    const times = all.get(userId);
    if (times === undefined) return [];
    let gone = 0;
    while (gone < times.length && (times[gone] ?? 0) <= now - this.#windowMs) gone++;
    if (gone > 0) times.splice(0, gone);
    return times;
  }
}

function push(all: Map<UserId, number[]>, userId: UserId, at: number): void {
  const times = all.get(userId);
  if (times === undefined) all.set(userId, [at]);
  else times.push(at);
}
