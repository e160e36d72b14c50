import type { AppId, UserId } from "../../protocol/ids.ts";
import type { AuditEntry } from "./audit-log.ts";
import type { BanRecord, Decided } from "./bans.ts";

/** What an app has said about one of its users, wherever they are. Times are milliseconds since 1970. */
export interface Restriction {
  /** Tokens and sign-ins issued before this are refused; 0 when none were revoked. */
  revokedBefore: number;
  /** They may not be in the app at all; `until` null: until it is lifted. */
  ban: { until: number | null } | null;
}

/** What is to become of a restriction; what is left out stays. */
export interface RestrictionChange {
  revokedBefore?: number | undefined;
  /** Null lifts it. */
  ban?: Omit<BanRecord, "userId" | "kind"> | null | undefined;
}

/** Every change is written together with the line of the audit log that tells of it; what changes nothing has none. */
export interface RestrictionStore {
  findRestriction(app: AppId, userId: UserId): Promise<Restriction>;
  /**
   * Changes a user's restriction. `revokedBefore` never goes back, but from a time that has not come yet (more than a minute
   * past the new one): only a clock that was wrong can have set that.
   */
  restrictUser(
    app: AppId,
    userId: UserId,
    change: RestrictionChange,
    audit: AuditEntry,
  ): Promise<Decided & { restriction: Restriction }>;
}

/** Where routes learn of restrictions without asking the store. */
export interface RestrictionBoard {
  /** In the place of what was saved before. */
  saveRestriction(app: AppId, userId: UserId, restriction: Restriction): Promise<void>;
}
