import type * as Party from "partykit/server";
import { clockOffset } from "./clock-offset.ts";

/** How far the clock was off when each object last set its alarm, by the object's own id, for the life of this process. */
const setUnder = new Map<string, number>();
/** A process begins in the time that the one before was in, so that alarms found in storage are of that time. */
const firstOffset = clockOffset();

/** What an alarm is kept in; all of it is a part of PartyKit's storage. */
export type AlarmStorage = Pick<Party.Storage, "getAlarm" | "setAlarm">;

/**
 * The alarm of one object whose clock can be set. The runtime keeps alarms by its own clock, which stays: so a time is
 * translated on the way there and back, by what the clock was off when the alarm was set, and not by what it is off now.
 */
export class ShiftedAlarm {
  readonly #storage: AlarmStorage;
  readonly #id: string;

  constructor(storage: AlarmStorage, id: string) {
    this.#storage = storage;
    this.#id = id;
  }

  set(at: number): Promise<void> {
    setUnder.set(this.#id, clockOffset());
    return this.#storage.setAlarm(at - clockOffset());
  }

  async get(): Promise<number | null> {
    const at = await this.#storage.getAlarm();
    return at === null ? null : at + this.#setUnder();
  }

  /**
   * The clock has been set: an alarm from before moves with it, as the platform's would. The room may have been quicker,
   * and may have set it anew by the new clock: then it stays.
   */
  async clockWasSet(): Promise<void> {
    const at = await this.#storage.getAlarm();
    const movedMs = clockOffset() - this.#setUnder();
    setUnder.set(this.#id, clockOffset());
    if (at !== null && movedMs !== 0) await this.#storage.setAlarm(at - movedMs);
  }

  #setUnder(): number {
    return setUnder.get(this.#id) ?? firstOffset;
  }
}

/** A room's storage whose alarm goes by the shifted clock. */
export function withAlarm(storage: Party.Storage, alarm: ShiftedAlarm): Party.Storage {
  return new Proxy(storage, {
    get(target, name) {
      if (name === "setAlarm") return (at: number) => alarm.set(at);
      if (name === "getAlarm") return () => alarm.get();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
