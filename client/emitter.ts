import type { Subscription } from "./types.ts";

/** Those who want to hear of something, and how they are told. */
export interface Emitter<Events> {
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): Subscription;
  /** A listener that throws spoils nothing for the others: its error surfaces as uncaught. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void;
}

export function createEmitter<Events>(): Emitter<Events> {
  // Registered twice means told twice, and each is taken away by itself.
  const registered = new Set<{ name: keyof Events; listener: (event: never) => void }>();
  return {
    on: (name, listener) => {
      const own = { name, listener };
      registered.add(own);
      return { remove: () => registered.delete(own) };
    },
    emit: (name, event) => {
      // A copy: those who register meanwhile are told from the next time on.
      for (const own of new Set(registered))
        try {
          if (own.name === name) own.listener(event as never); // registered for events of this name
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
    },
  };
}
