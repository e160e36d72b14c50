import type { Subscription } from "./types.ts";

/** Tells those who registered. One that throws spoils nothing for the others: its error surfaces as uncaught. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): Subscription {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    // Registered twice means told twice, and each is taken away by itself.
    const own = (event: Events[Name]): void => listener(event);
    listeners.add(own);
    return { remove: () => void listeners.delete(own) };
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    // A copy: those who register meanwhile are told from the next time on.
    for (const listener of new Set(this.#listeners.get(name)))
      try {
        listener(event as never); // registered for events of this name
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
  }
}
