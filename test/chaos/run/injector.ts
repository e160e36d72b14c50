import type { Recorder } from "../history/recorder.ts";
import type { ChaosWorld, FaultName, FaultOptions, Injected, PlannedFault } from "../world/types.ts";

/** Faults that lose, double or swap frames by themselves: a stream may then be broken through no fault of the room. */
const MANGLES: ReadonlySet<FaultName> = new Set<FaultName>([
  "frames_dropped",
  "frames_doubled",
  "frames_swapped",
  "acks_dropped",
]);
/** Faults that make frames late or clocks wrong: times are then not what they seem. */
const DELAYS: ReadonlySet<FaultName> = new Set<FaultName>([
  "rooms_stopped",
  "rooms_killed",
  "rooms_redeployed",
  "rooms_evicted", // whatever is said to the room waits until it sleeps
  "clock_forward",
  "clock_back",
  "frames_delayed",
  "half_open",
  "reader_stalled",
  "connections_refused",
  "gateway_cut",
  "gateway_hangs",
  "gateway_delayed",
]);

/** Injects faults, and writes down when each began and ended, and what came of it. */
export class Injector {
  readonly #world: ChaosWorld;
  readonly #recorder: Recorder;
  #count = 0;
  readonly troubles: string[] = [];
  /** The faults that have made Postgres refuse rows, by their number in the history. */
  readonly refusals = new Map<number, FaultOptions>();

  constructor(world: ChaosWorld, recorder: Recorder) {
    this.#world = world;
    this.#recorder = recorder;
  }

  /** Injects a fault and heals it after its time, or when the run is over. */
  async run({ name, forMs, options }: Omit<PlannedFault, "atMs">, over: AbortSignal): Promise<void> {
    const fault = ++this.#count;
    const [room, ...others] = options.rooms ?? [];
    const about = {
      kind: "fault",
      fault,
      name,
      mangles: MANGLES.has(name),
      delays: DELAYS.has(name),
      slowsAcks: !/^(?:postgres|redis|issuer)_/.test(name),
      ...(room !== undefined && others.length === 0 && { room }),
    } as const;
    this.#recorder.write({ ...about, phase: "begin" });
    let injected: Injected | undefined;
    try {
      injected = await this.#world.inject(name, options);
      if (name === "postgres_refuses_rows") this.refusals.set(fault, options);
      await sleep(forMs, over);
      await injected.heal();
    } catch (error) {
      this.troubles.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    const hadEffect = injected?.hadEffect() ?? false;
    this.#recorder.write({ ...about, phase: "end", hadEffect, detail: injected?.detail() ?? "was not injected" });
  }
}

/** Resolves after so long, or at once when it is over. */
export function sleep(ms: number, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (over.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      over.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    over.addEventListener("abort", end);
  });
}
