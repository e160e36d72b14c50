import type { Settings } from "../domain/config.ts";
import type { LimitPolicyName } from "../domain/ports/limiter.ts";

const QUARTER_HOUR_SECONDS = 15 * 60;
const MINUTE_SECONDS = 60;
const KEY_FAILURES = 10;

/** How often each kind of request may be made by one identity, and in how long. */
export function limitPolicies(
  settings: Pick<Settings, "TOKEN_RATE_LIMIT" | "CHANNEL_RATE_LIMIT" | "MANAGE_RATE_LIMIT" | "READ_RATE_LIMIT">,
): Record<LimitPolicyName, { limit: number; windowSeconds: number }> {
  return {
    token: { limit: settings.TOKEN_RATE_LIMIT, windowSeconds: QUARTER_HOUR_SECONDS },
    mint: { limit: settings.TOKEN_RATE_LIMIT, windowSeconds: QUARTER_HOUR_SECONDS },
    channel: { limit: settings.CHANNEL_RATE_LIMIT, windowSeconds: QUARTER_HOUR_SECONDS },
    manage: { limit: settings.MANAGE_RATE_LIMIT, windowSeconds: MINUTE_SECONDS },
    read: { limit: settings.READ_RATE_LIMIT, windowSeconds: MINUTE_SECONDS },
    key_failure: { limit: KEY_FAILURES, windowSeconds: MINUTE_SECONDS },
  };
}
