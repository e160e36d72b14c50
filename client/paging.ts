import type { HistoryReader } from "./history.ts";

/** How often the part for HTTP may fail to load before a gap is left as it is. */
const LOADS_MAX = 3;

/** What of a room's history comes over HTTP, each once at a time: what was missed for long, and what is older. */
export function createPaging(reader: HistoryReader) {
  const { host, events, timeline } = reader;
  let isUnderWay = false;
  let unloaded = 0;
  let underWay: Promise<boolean> | undefined;

  function passOver(): void {
    const after = timeline.position;
    const placed = timeline.skip();
    events.emit("gap", { after, before: timeline.first });
    reader.place(placed);
  }

  return {
    isUnderWay: () => isUnderWay,

    /** Fills what is missing up to `target`, or passes over it. */
    async catchUp(target: number): Promise<void> {
      if (isUnderWay) return;
      isUnderWay = true;
      try {
        const { catchUp } = await host.http();
        if (await catchUp(reader, target)) passOver();
      } catch {
        // Some browsers never load again what once did not load, and a gap is better than nothing any more.
        if (++unloaded < LOADS_MAX) reader.failed();
        else passOver();
      }
      isUnderWay = false;
    },

    /** Loads what comes before the first message. @returns whether there is more. */
    older: (limit: number): Promise<boolean> =>
      (underWay ??= host
        .http()
        .then(({ loadOlder }) => loadOlder(reader, limit))
        .finally(() => (underWay = undefined))),
  };
}
