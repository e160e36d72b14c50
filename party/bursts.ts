import type { After } from "./deps.ts";
import type { Session } from "./session.ts";

/** More frames than this within the time make a room busy; fewer do where many listen, who take their time each. */
const BUSY_FRAMES = 8;
const BUSY_LISTENED_TO = 2_000;
const BUSY_MS = 100;
/** So many are taken at once at most, fewer where many listen: what a turn sends is in memory until it has gone. */
const BURST_MAX = 256;
const BURST_MIN = 8;
const BURST_DELIVERIES = 16_000;

export interface BurstDeps {
  /** How many sockets are sent each frame by itself; to the others it is gathered. */
  listeners: () => number;
  after: After;
  now: () => number;
  take: (session: Session, message: unknown) => Promise<void> | undefined;
  /** Calls back while several are taken in one turn. */
  together: (callback: () => void) => void;
  drop: (session: Session) => void;
}

/**
 * What sockets say, in the order it came. A quiet room takes each message as it comes. In a busy one those that have come
 * already are taken together, in one turn of the event loop: the runtime then writes storage once for all of them and
 * each socket once, which is most of what a message costs. Nobody waits longer for it than a turn takes.
 */
export class Bursts {
  readonly #deps: BurstDeps;
  #waiting: { session: Session; message: unknown }[] = [];
  #recent: number[] = [];
  /** Sockets that turned out to be gone while their own frames were still to be taken. */
  #lost: Set<Session> | undefined;

  constructor(deps: BurstDeps) {
    this.#deps = deps;
  }

  take(session: Session, message: unknown): Promise<void> | undefined {
    const isBusy = this.#isBusy();
    if (this.#waiting.length === 0 && !isBusy) return this.#deps.take(session, message);
    this.#waiting.push({ session, message });
    if (this.#waiting.length === 1) this.#deps.after(0, () => this.drain());
    else if (this.#waiting.length >= this.#most()) this.drain();
    return undefined;
  }

  /** Takes what waits; also before anything that must come after it. */
  drain(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    const lost = (this.#lost ??= new Set());
    this.#deps.together(() => {
      for (const { session, message } of waiting) void this.#deps.take(session, message);
    });
    this.#lost = undefined;
    for (const session of lost) this.#deps.drop(session);
  }

  /** A socket is gone; what it said before that counts. */
  lost(session: Session): void {
    if (this.#lost === undefined) this.#deps.drop(session);
    else this.#lost.add(session);
  }

  #isBusy(): boolean {
    const now = this.#deps.now();
    this.#recent.push(now);
    if (this.#recent.length > BUSY_FRAMES + 1) this.#recent.shift();
    const enough = Math.min(BUSY_FRAMES, Math.ceil(BUSY_LISTENED_TO / Math.max(1, this.#deps.listeners())));
    return (this.#recent.at(-1 - enough) ?? 0) > now - BUSY_MS;
  }

  #most(): number {
    return Math.min(BURST_MAX, Math.max(BURST_MIN, BURST_DELIVERIES / Math.max(1, this.#deps.listeners())));
  }
}
