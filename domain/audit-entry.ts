import type { ChannelId } from "../protocol/ids.ts";
import type { Caller } from "./callers.ts";
import type { AuditAction, AuditEntry } from "./ports/audit-log.ts";

/** A line of the audit log about what a caller has done over HTTP. */
export function auditEntry(
  { caller, requestId, at }: { caller: Caller; requestId: string; at: number },
  did: {
    id?: string;
    action: AuditAction;
    subject: string | undefined;
    channelId?: ChannelId | undefined;
    detail?: string | undefined;
  },
): AuditEntry {
  return {
    id: did.id ?? crypto.randomUUID(),
    at,
    action: did.action,
    actor: actorOf(caller),
    channelId: did.channelId ?? null,
    subject: did.subject ?? null,
    requestId,
    detail: did.detail ?? null,
  };
}

/** How the audit log names a caller. */
export function actorOf(caller: Caller): string {
  return caller.by === "key" ? `key:${caller.keyId}` : caller.userId;
}
