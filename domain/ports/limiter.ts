import type { Restriction } from "./restrictions.ts";

/** Asked once per request for what one identity may still do. */
export interface Limiter {
  take(policy: LimitPolicyName, identity: string): Promise<LimitAnswer>;
}

export type LimitPolicyName = "token" | "mint" | "channel" | "manage" | "read" | "key_failure";

export interface LimitAnswer {
  allowed: boolean;
  limit: number;
  windowSeconds: number;
  remaining: number;
  /** Seconds until the window has room again. */
  resetSeconds: number;
  /** True when Redis did not answer in time and a local, stricter count stood in. */
  degraded: boolean;
  /** What is known of the user whose identity was counted, from the same round trip; undefined when it was not made. */
  restriction?: Restriction | undefined;
}
