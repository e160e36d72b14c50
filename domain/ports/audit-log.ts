import type { AppId, ChannelId } from "../../protocol/ids.ts";

export type AuditAction =
  | "channel.create"
  | "member.join"
  | "member.add"
  | "member.remove"
  | "message.send"
  | "message.refuse"
  | "message.mask"
  | "message.flag"
  | "request.refuse"
  | "ban.set"
  | "ban.lift"
  | "user.revoke"
  | "user.ban"
  | "user.unban"
  | "key.create"
  | "key.revoke"
  | "moderation.change";

/** One line of the audit log, which is only ever added to. Never holds content, a token or a key. */
export interface AuditEntry {
  /** A UUID, so that an entry written twice is there once. */
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  action: AuditAction;
  /** A user's id, `key:<id>` for an app's server, `system` for what happens by itself. */
  actor: string;
  channelId: ChannelId | null;
  /** Whom or what it was done to: a user's, message's, channel's or key's id. */
  subject: string | null;
  /** The HTTP request's id, the socket's connection id, or the client's own message id. */
  requestId: string | null;
  /** An error code, a mode or a count. */
  detail: string | null;
}

export interface AuditStore {
  /** Adds entries; one that is there already stays as it is. */
  writeAudit(app: AppId, entries: readonly AuditEntry[]): Promise<void>;
  /** Newest first, those before `before` (an entry's place in the log). */
  listAudit(
    app: AppId,
    page: { before?: number | undefined; channelId?: ChannelId | undefined; limit: number },
  ): Promise<{ place: number; entry: AuditEntry }[]>;
}
