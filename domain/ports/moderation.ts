import type { AppId, ChannelId } from "../../protocol/ids.ts";
import type { AuditEntry } from "./audit-log.ts";

/** What an app, or one of its channels, adds to the filter. */
export interface ModerationRecord {
  mode: "off" | "flag" | "mask" | "block";
  /** Words and phrases to find; and those never to take offence at. */
  blocked: readonly string[];
  allowed: readonly string[];
}

export interface ModerationStore {
  /** Null where nothing was set. */
  findModeration(
    app: AppId,
    id: ChannelId,
  ): Promise<{ app: ModerationRecord | null; channel: ModerationRecord | null }>;
  /** `id` null: the whole app's. In one transaction with its entry in the audit log. */
  saveModeration(app: AppId, id: ChannelId | null, record: ModerationRecord, entry: AuditEntry): Promise<void>;
}
