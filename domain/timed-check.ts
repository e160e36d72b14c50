import type { Now } from "./ports/clock.ts";

/** What came of one check: how long it took, and whether it failed. */
export interface Timed<Result> {
  ms: number;
  result: Result | undefined;
  failed: boolean;
}

/** Runs one check with its own time limit. Never throws: a check that fails or is late has failed. */
export async function timedCheck<Result>(
  now: Now,
  limitMs: number,
  check: (signal: AbortSignal) => Promise<Result>,
): Promise<Timed<Result>> {
  const startedAt = now();
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  // Not every client obeys its signal, so the limit holds without it too.
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      abort.abort();
      reject(new Error("too late"));
    }, limitMs);
  });
  try {
    const result = await Promise.race([check(abort.signal), late]);
    return { ms: now() - startedAt, result, failed: false };
  } catch {
    return { ms: now() - startedAt, result: undefined, failed: true };
  } finally {
    clearTimeout(timer);
  }
}
