/** The part of Cloudflare's own module that the entry point uses. */
declare module "cloudflare:workers" {
  /** Keeps the current request's work alive after its answer. */
  export function waitUntil(work: Promise<unknown>): void;
}
