import type { AuditPage } from "../protocol/http.ts";
import type { ChannelId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import type { KeyCaller } from "./callers.ts";
import type { Deps } from "./deps.ts";

/** A page of the app's audit log, newest first. @throws {ChatError} `storage_unavailable` */
export async function readAudit(
  { store }: Pick<Deps, "store">,
  { app }: KeyCaller,
  {
    before,
    channelId,
    limit = LIMITS.historyDefault,
  }: { before?: number | undefined; channelId?: ChannelId | undefined; limit?: number | undefined },
): Promise<AuditPage> {
  const found = await store.listAudit(app, { before, channelId, limit: limit + 1 });
  const page = found.slice(0, limit);
  return {
    entries: page.map(({ place, entry }) => ({ place, ...entry, at: new Date(entry.at).toISOString() })),
    next: found.length > limit ? (page.at(-1)?.place ?? null) : null,
  };
}
