import type { Settings } from "./config.ts";

/** The settings that decide which browser origins may call and connect. */
export type OriginSettings = Pick<Settings, "ALLOWED_ORIGINS" | "PUBLIC_URL">;

/**
 * Whether a request with this `Origin` header may be served: an exact, case-sensitive match of scheme, host and port
 * against `ALLOWED_ORIGINS` and `PUBLIC_URL`'s own origin. No header at all is a native client or a server: it may,
 * because it has to bring a token anyway. The opaque origin `null` of sandboxed pages may not.
 */
export function isAllowedOrigin(settings: OriginSettings, origin: string | null): boolean {
  if (origin === null) return true;
  return origin === new URL(settings.PUBLIC_URL).origin || (settings.ALLOWED_ORIGINS ?? []).includes(origin);
}
