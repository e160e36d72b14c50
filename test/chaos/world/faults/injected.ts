import type { Stack } from "../../../support/stack.ts";
import type { Clock } from "../clock.ts";
import type { Entries } from "../entries.ts";
import type { RemoteProxies } from "../proxy/process.ts";
import type { FaultName, FaultOptions, Injected } from "../types.ts";
import type { WakingLog } from "../waking-log.ts";

/** What faults work on. */
export interface Grounds {
  stack: Stack;
  proxies: RemoteProxies;
  entries: Entries;
  clock: Clock;
  wakings: WakingLog;
}

/** Breaks something. @returns what mends it, and then says how often it has hit and what. */
export type Fault = (grounds: Grounds, options: FaultOptions) => Promise<Mend>;
export type Mend = () => Promise<Effect>;
export interface Effect {
  hits: number;
  /** What was hit: "frames doubled". */
  what: string;
}

/** Starts a fault, and keeps its books. */
export async function start(
  name: FaultName,
  fault: Fault,
  { grounds, options }: { grounds: Grounds; options: FaultOptions },
): Promise<Injected> {
  const mend = await fault(grounds, options);
  let effect: Effect | undefined;
  let healing: Promise<void> | undefined;
  return {
    name,
    heal: () =>
      (healing ??= mend().then((result) => {
        effect = result;
      })),
    hadEffect: () => effect !== undefined && effect.hits > 0,
    detail: () => (effect === undefined ? "still at work" : `${effect.hits} ${effect.what}`),
  };
}
