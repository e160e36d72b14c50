import { useEffect, useState } from "react";

export const POLL_MS = 5_000;
/** Five minutes of polls. */
const KEPT = 60;

/** What polls brought, oldest first. */
export interface Polled<Value> {
  newest: Value | undefined;
  history: readonly Value[];
}

/** Asks again and again while somebody looks. `ask` never rejects, and stays the same function. */
export function usePolled<Value>(ask: (signal: AbortSignal) => Promise<Value>): Polled<Value> {
  const [history, setHistory] = useState<readonly Value[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    let isBusy = false;
    const poll = async (): Promise<void> => {
      if (isBusy || document.hidden) return;
      isBusy = true;
      const value = await ask(stop.signal);
      isBusy = false;
      if (!stop.signal.aborted) setHistory((before) => [...before, value].slice(-KEPT));
    };
    void poll();
    const timer = setInterval(() => void poll(), POLL_MS);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [ask]);
  return { newest: history.at(-1), history };
}
