import type { Recorder } from "../history/recorder.ts";

const EVERY_MS = 250;
/** What is less late than this is as it always is. */
const NOTED_MS = 150;
const GIVEN_UP_MS = 10_000;

/**
 * Measures how much time the machine has for the run and for the rooms' process, so that what is late because of that is
 * not held against the rooms.
 */
export class Lateness {
  readonly #recorder: Recorder;
  readonly #address: string;
  readonly #timer: NodeJS.Timeout;
  #dueAt: number = performance.now() + EVERY_MS;
  #asking = false;

  /** @param roomsUrl The rooms' own address, without a proxy. */
  constructor(recorder: Recorder, roomsUrl: string) {
    this.#recorder = recorder;
    this.#address = `${roomsUrl}/healthz`;
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    this.#note("run", now - this.#dueAt);
    this.#dueAt = now + EVERY_MS;
    if (!this.#asking) void this.#ask(now);
  }

  async #ask(since: number): Promise<void> {
    this.#asking = true;
    const reply = await fetch(this.#address, { signal: AbortSignal.timeout(GIVEN_UP_MS) }).catch(() => undefined);
    await reply?.body?.cancel();
    this.#asking = false;
    this.#note("rooms", performance.now() - since);
  }

  #note(what: "run" | "rooms", ms: number): void {
    if (ms > NOTED_MS) this.#recorder.write({ kind: "late", what, ms: Math.round(ms) });
  }
}
