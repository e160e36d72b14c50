import type { EntryOf } from "./entries.ts";
import type { Recorder } from "./recorder.ts";

type Late = EntryOf<"late">;

/**
 * When so much time has passed since `from` of that which the machine had: while it was measured to have none, for the run
 * or for the rooms, nothing could be expected of anybody.
 */
export function machineTimeAfter(late: readonly Late[], from: number, ms: number): number {
  const endFor = (what: Late["what"]): number => {
    let end = from + ms;
    for (const one of late)
      if (one.what === what && one.at > from && one.at - one.ms < end) end += Math.min(one.ms, one.at - from);
    return end;
  };
  return Math.max(endFor("run"), endFor("rooms"));
}

/** Begins to wait. @returns whether so much machine time is over. */
export function startPatience(recorder: Recorder, ms: number): () => boolean {
  const from = recorder.now();
  const late: Late[] = [];
  let seen = recorder.entries.length;
  return () => {
    for (const entry of recorder.entries.slice(seen)) if (entry.kind === "late") late.push(entry);
    seen = recorder.entries.length;
    return recorder.now() > machineTimeAfter(late, from, ms);
  };
}
