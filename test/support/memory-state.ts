import type { ApiKeyRecord } from "../../domain/ports/api-keys.ts";
import type { AuditEntry } from "../../domain/ports/audit-log.ts";
import type { BanRecord } from "../../domain/ports/bans.ts";
import type { ChannelRecord } from "../../domain/ports/channels.ts";
import type { RoomEvent } from "../../domain/ports/history.ts";
import type { MemberRecord } from "../../domain/ports/members.ts";
import type { ModerationRecord } from "../../domain/ports/moderation.ts";
import type { Restriction } from "../../domain/ports/restrictions.ts";
import type { UserRecord } from "../../domain/ports/users.ts";
import type { AppId, ChannelId } from "../../protocol/ids.ts";

/** What the memory store keeps. */
export interface State {
  keys: Map<string, ApiKeyRecord>;
  users: Map<string, UserRecord>;
  channels: Map<string, ChannelRecord>;
  members: Map<string, Map<string, MemberRecord>>;
  restrictions: Map<string, Restriction>;
  /** Each channel's bans and mutes by user. */
  bans: Map<string, Map<string, BanRecord>>;
  /** Each channel's events by `seq`. */
  events: Map<string, Map<number, RoomEvent>>;
  /** In the order they were written; an entry's place is its index and one. */
  audit: { app: AppId; entry: AuditEntry }[];
  moderation: Map<string, ModerationRecord>;
}

export const nameOf = (app: string, id: string) => JSON.stringify([app, id]);
export const byId = (left: string, right: string) => (left < right ? -1 : 1);

export function membersOf({ members }: State, app: AppId, id: ChannelId): Map<string, MemberRecord> {
  const present = members.get(nameOf(app, id)) ?? new Map<string, MemberRecord>();
  members.set(nameOf(app, id), present);
  return present;
}

export function addAudit({ audit }: State, app: AppId, entries: readonly AuditEntry[]): void {
  for (const entry of entries)
    if (!audit.some((there) => there.app === app && there.entry.id === entry.id))
      audit.push({ app, entry: structuredClone(entry) });
}
