import type { ModerationSettings } from "../protocol/http.ts";
import type { ChannelId } from "../protocol/ids.ts";
import { auditEntry } from "./audit-entry.ts";
import type { Caller } from "./callers.ts";
import { requireManaged } from "./channel-access.ts";
import type { Deps } from "./deps.ts";

/** Who asks, and about which channel; null: about the whole app, which is for its servers. */
interface SettingsCall {
  caller: Caller;
  id: ChannelId | null;
  requestId: string;
}

const NOTHING_SET: ModerationSettings = { mode: "block", blocked: [], allowed: [] };
/** No channel has it; an app's own settings are found beside any. */
const ANY_CHANNEL = "-" as ChannelId;

/**
 * What the app, or one of its channels, has the content filter do; what holds where nothing was set.
 *
 * @throws {ChatError} `room_not_found`, `forbidden`, `storage_unavailable`
 */
export async function readModeration(
  { store }: Pick<Deps, "store">,
  { caller, id }: Omit<SettingsCall, "requestId">,
): Promise<ModerationSettings> {
  if (id !== null) await requireManaged(store, caller, id);
  const { app, channel } = await store.findModeration(caller.app, id ?? ANY_CHANNEL);
  const { mode, blocked, allowed } = (id === null ? app : channel) ?? { ...NOTHING_SET, mode: app?.mode ?? "block" };
  return { mode, blocked: [...blocked], allowed: [...allowed] };
}

/**
 * Sets it. The channel's live room goes by it at once; what is the whole app's reaches rooms within a minute.
 *
 * @throws {ChatError} `room_not_found`, `forbidden`, `storage_unavailable`
 */
export async function saveModeration(
  { store, rooms, now, waitUntil }: Pick<Deps, "store" | "rooms" | "now" | "waitUntil">,
  { caller, id, requestId }: SettingsCall,
  settings: ModerationSettings,
): Promise<ModerationSettings> {
  if (id !== null) await requireManaged(store, caller, id);
  const { mode, blocked, allowed } = settings;
  const detail = `${mode}, ${blocked.length} blocked, ${allowed.length} allowed`;
  const did = {
    action: "moderation.change",
    subject: id ?? caller.app,
    detail,
    ...(id !== null && { channelId: id }),
  } as const;
  await store.saveModeration(caller.app, id, settings, auditEntry({ caller, requestId, at: now() }, did));
  // A room that does not hear of it finds it by itself.
  if (id !== null) waitUntil(rooms.tellLists(caller.app, id).catch(() => {}));
  return settings;
}
