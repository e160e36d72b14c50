import type { Settings } from "../domain/config.ts";

/**
 * Reads where a request came from. Cloudflare writes `CF-Connecting-IP` itself and drops a client's; off Cloudflare anybody
 * can send it, so a development or test deployment counts all callers as one. Other forwarding headers are never read.
 */
export function addressReader({ ENVIRONMENT }: Pick<Settings, "ENVIRONMENT">): (request: Request) => string {
  if (ENVIRONMENT === "development" || ENVIRONMENT === "test") return () => "local";
  return (request) => request.headers.get("cf-connecting-ip") ?? "unknown";
}
