import { vi } from "vitest";

/** More timers than this at one moment are a loop. */
const AT_ONCE_MAX = 10_000;

interface Timer {
  id: number;
  at: number;
  everyMs: number | undefined;
  run: () => void;
}

/**
 * Timers and a clock in one's own hands. Made for thousands of clients with timers of their own: vitest's fake timers look
 * at every timer to find the next one.
 */
export class VirtualTime {
  now = 0;
  #ids = 0;
  /** A heap: the next timer comes first. */
  readonly #queue: Timer[] = [];
  readonly #live = new Map<number, Timer>();

  /** Puts itself in the place of the real timers and their clock, until `remove`. */
  install(): void {
    vi.stubGlobal("setTimeout", (run: () => void, ms = 0) => this.#add(run, ms, undefined));
    vi.stubGlobal("setInterval", (run: () => void, ms = 0) => this.#add(run, ms, ms));
    const clear = (id: number | undefined): void => void this.#live.delete(id ?? 0);
    vi.stubGlobal("clearTimeout", clear);
    vi.stubGlobal("clearInterval", clear);
    vi.spyOn(performance, "now").mockImplementation(() => this.now);
  }

  remove(): void {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#live.size;
  }

  /** Lets time pass: every timer in its turn, with all that follows from it before the next. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    let atOnce = 0;
    await settle();
    for (let next = this.#queue[0]; next !== undefined && next.at <= until; next = this.#queue[0]) {
      this.#take();
      if (this.#live.get(next.id) !== next) continue;
      atOnce = next.at === this.now ? atOnce + 1 : 0;
      if (atOnce > AT_ONCE_MAX) throw new Error(`Timers go on and on at ${this.now} ms`);
      this.now = next.at;
      this.#live.delete(next.id);
      if (next.everyMs !== undefined) this.#put({ ...next, at: next.at + Math.max(1, next.everyMs) });
      next.run();
      await settle();
    }
    this.now = until;
  }

  #add(run: () => void, ms: number, everyMs: number | undefined): number {
    // As everywhere: what is too long for a timer is at once.
    const delay = ms > 0 && ms < 2 ** 31 ? ms : 0;
    const timer = { id: ++this.#ids, at: this.now + delay, everyMs, run };
    this.#put(timer);
    return timer.id;
  }

  #put(timer: Timer): void {
    this.#live.set(timer.id, timer);
    const queue = this.#queue;
    let at = queue.push(timer) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && isBefore(timer, queue[parent]); parent = (at - 1) >> 1) {
      queue[at] = queue[parent] as Timer; // it is there, as just compared
      queue[parent] = timer;
      at = parent;
    }
  }

  #take(): void {
    const queue = this.#queue;
    const last = queue.pop();
    if (last === undefined || queue.length === 0) return;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const least = isBefore(queue[right], queue[left]) ? right : left;
      if (!isBefore(queue[least], last)) return void (queue[at] = last);
      queue[at] = queue[least] as Timer; // it is there, as just compared
      at = least;
    }
  }
}

function isBefore(one: Timer | undefined, other: Timer | undefined): boolean {
  if (one === undefined || other === undefined) return one !== undefined;
  return one.at < other.at || (one.at === other.at && one.id < other.id);
}

/** Everything that waits for no timer has happened. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
