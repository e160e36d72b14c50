import type { UserId } from "../../protocol/ids.ts";

/** How many messages a user may send in a room in a sliding window; all of a user's sockets count together. */
export class MessageLimit {
  readonly #max: number;
  readonly #windowMs: number;
  readonly #sent = new Map<UserId, Times>();
  readonly #refused = new Map<UserId, Times>();

  constructor({ max, windowMs }: { max: number; windowMs: number }) {
    this.#max = max;
    this.#windowMs = windowMs;
  }

  /** @returns milliseconds until the user may send again; undefined when they may now. */
  waitMs(userId: UserId, now: number): number | undefined {
    const times = this.#sent.get(userId);
    if (times === undefined || times.countAfter(now - this.#windowMs) < this.#max) return undefined;
    const oldest = times.fromEnd(this.#max);
    return Math.min(this.#windowMs, Math.max(1, oldest + this.#windowMs - now));
  }

  /** Counts a message that was kept. Also called for each message of the log when a room wakes. */
  note(userId: UserId, at: number): void {
    push(this.#sent, userId, at);
  }

  /** Counts a refusal. @returns how many there were in the window, this one included. */
  refuse(userId: UserId, now: number): number {
    return push(this.#refused, userId, now).countAfter(now - this.#windowMs);
  }

  /** Forgets what no longer counts, so that memory follows the people who write and not all who ever did. */
  forget(now: number): void {
    for (const times of [this.#sent, this.#refused])
      for (const [userId, of] of times) if (of.countAfter(now - this.#windowMs) === 0) times.delete(userId);
  }
}

function push(all: Map<UserId, Times>, userId: UserId, at: number): Times {
  const times = all.get(userId) ?? new Times();
  all.set(userId, times);
  times.push(at);
  return times;
}

/** Times in the order they were noted. */
class Times {
  #all: number[] = [];
  /** What is before this has left the window for good. */
  #from = 0;

  push(at: number): void {
    this.#all.push(at);
  }

  /** Forgets up to and including `since`, as far as those are the first. @returns how many are left. */
  countAfter(since: number): number {
    while (this.#from < this.#all.length && (this.#all[this.#from] ?? 0) <= since) this.#from++;
    // Not one by one: that would move all the others each time.
    if (this.#from * 2 > this.#all.length) this.#all.splice(0, this.#from);
    else return this.#all.length - this.#from;
    this.#from = 0;
    return this.#all.length;
  }

  /** The last one is the first from the end. */
  fromEnd(nth: number): number {
    return this.#all.at(-nth) ?? 0;
  }
}
