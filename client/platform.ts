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

function watch(tell: Parameters<ChatPlatform["watch"]>[0]): () => void {
  const { document } = globalThis as Partial<typeof globalThis>;
  const listeners = new AbortController();
  const listen = (event: string, told: () => Parameters<typeof tell>[0]): void =>
    globalThis.addEventListener(event, () => tell(told()), { signal: listeners.signal });
  if (document) {
    listen("online", () => "online");
    listen("offline", () => "offline");
    // A page that comes back from the browser's cache of pages, or from being frozen, is seen again.
    for (const event of ["pageshow", "visibilitychange"]) listen(event, () => (document.hidden ? "hidden" : "visible"));
  }
  return () => listeners.abort();
}

let made = 0;

/** A new id for a message. It need not be a secret, only another than the same user has ever had. */
export function newMessageId(random: () => number): string {
  return `${Date.now()}-${random().toString(36).slice(2)}-${++made}`;
}

/** A promise, and what settles it. */
export interface Deferred<Value> {
  promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

/** A rejection that nobody listens for must not end a Node process: it is told in other ways too. */
export function defer<Value>(): Deferred<Value> {
  const deferred = {} as Deferred<Value>; // filled in at once
  deferred.promise = new Promise<Value>((resolve, reject) => Object.assign(deferred, { resolve, reject }));
  deferred.promise.catch(() => {});
  return deferred;
}

/** Full jitter: uniform from 0 to a bound that begins at `firstMs` and doubles with each failure. */
export function jitter(random: () => number, failures: number, firstMs = 2_000): number {
  return random() * Math.min(30_000, firstMs * 2 ** failures);
}
