import { laneOf } from "./habits.ts";
import type { FaultName, Injected } from "./types.ts";

/** The rooms' process can only be in one state: a fault of it waits until the one before has been healed. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  async take(name: FaultName, inject: () => Promise<Injected>): Promise<Injected> {
    if (laneOf(name) !== "process" && name !== "rooms_evicted") return await inject();
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = promise;
    await before;
    try {
      const injected = await inject();
      return { ...injected, heal: () => injected.heal().finally(resolve) };
    } catch (error) {
      resolve();
      throw error;
    }
  }
}
