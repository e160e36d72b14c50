import type { ChatPlatform } from "./types.ts";

/**
 * What the runtime has of what a client needs, with the app's own parts in place of the runtime's. Nothing is asked of a
 * DOM: where there is none, nobody tells of the network, and pings find out.
 */
export function choosePlatform(own: Partial<ChatPlatform> = {}): ChatPlatform {
  return {
    fetch: (input, init) => globalThis.fetch(input, init),
    WebSocket: globalThis.WebSocket,
    random: Math.random,
    monotonicNow: () => performance.now(),
    watch,
    ...own,
  };
}

const NETWORK = ["online", "offline"] as const;

function watch(tell: Parameters<ChatPlatform["watch"]>[0]): () => void {
  const { document, addEventListener } = globalThis as Partial<typeof globalThis>;
  if (document === undefined || addEventListener === undefined) return () => {};
  const listeners = new AbortController();
  const { signal } = listeners;
  for (const event of NETWORK) globalThis.addEventListener(event, () => tell(event), { signal });
  // A page that comes back from the browser's cache of pages, or from being frozen, is seen again.
  globalThis.addEventListener("pageshow", () => tell("visible"), { signal });
  document.addEventListener("visibilitychange", () => tell(document.hidden ? "hidden" : "visible"), { signal });
  return () => listeners.abort();
}

/** A new id for a message: 96 random bits. `crypto` is missing on plain http and in some React Native versions. */
export function newMessageId(random: () => number): string {
  const words = globalThis.crypto?.getRandomValues?.(new Uint32Array(3)) ?? [1, 2, 3].map(() => random() * 2 ** 32);
  return `m${Array.from(words, (word) => Math.floor(word).toString(36).padStart(7, "0")).join("")}`;
}

/** Full jitter: uniform from 0 to a bound that begins at `firstMs` and doubles with each failure. */
export function jitter(random: () => number, failures: number, firstMs = 2_000, maxMs = 30_000): number {
  return random() * Math.min(maxMs, firstMs * 2 ** failures);
}
