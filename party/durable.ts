import type { SteadyClock } from "../domain/steady-clock.ts";
import { ChatError } from "../protocol/errors.ts";
import { KEYS_PER_CALL } from "./kept.ts";
import type { RoomLogger } from "./log.ts";
import type { RoomStorage } from "./platform.ts";

/** How late an alarm may ring. */
export const LATE_ALARM_MS = 60_000;
/** For objects whose times are the wall clock's. */
const WALL_CLOCK: Pick<SteadyClock, "toWall"> = { toWall: (at) => at };

/**
 * Writes that nobody waits for: nothing a room sends leaves before what it has written is durable, and when a write fails
 * the runtime discards what was to be sent and resets the object.
 */
export class Durable {
  readonly storage: RoomStorage;
  readonly #clock: Pick<SteadyClock, "toWall">;
  readonly #log: RoomLogger;
  #alarmAt: number | undefined;

  constructor(storage: RoomStorage, log: RoomLogger, clock: Pick<SteadyClock, "toWall"> = WALL_CLOCK) {
    this.storage = storage;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Writes in one transaction what belongs together: the platform joins puts that nothing is awaited between.
   *
   * @throws {ChatError} `storage_unavailable` when the platform refuses at once
   */
  keep(entries: Record<string, unknown>): void {
    const all = Object.entries(entries);
    for (let at = 0; at < all.length; at += KEYS_PER_CALL)
      this.#owned(this.#try(() => this.storage.put(Object.fromEntries(all.slice(at, at + KEYS_PER_CALL)))));
  }

  /**
   * Writes one key: cheaper than an object made for it, which matters where there is one for every message.
   *
   * @throws {ChatError} `storage_unavailable` when the platform refuses at once
   */
  keepOne(key: string, value: unknown): void {
    this.#owned(this.#try(() => this.storage.put(key, value)));
  }

  forget(keys: readonly string[]): void {
    for (let at = 0; at < keys.length; at += KEYS_PER_CALL)
      this.#owned(this.storage.delete(keys.slice(at, at + KEYS_PER_CALL)));
  }

  /** Makes sure there is an alarm no later than `at`; undefined asks for none. */
  wakeBy(at: number | undefined): void {
    if (at === undefined || (this.#alarmAt !== undefined && this.#alarmAt <= at)) return;
    this.#alarmAt = at;
    this.#owned(this.storage.setAlarm(this.#clock.toWall(at)));
  }

  /** Whether there is an alarm that should have rung long ago, so that it never will. */
  hasLostAlarm(now: number): boolean {
    return this.#alarmAt !== undefined && this.#alarmAt < now - LATE_ALARM_MS;
  }

  /** The alarm there is: the one found on waking, or none once it has rung. */
  alarmIs(at: number | undefined): void {
    this.#alarmAt = at;
  }

  #try(write: () => Promise<void>): Promise<void> {
    try {
      return write();
    } catch (cause) {
      throw new ChatError("storage_unavailable", { cause });
    }
  }

  #owned(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#log.error("storage_failed", error));
  }
}
