import type { Store } from "../../../domain/ports/store.ts";
import type { AuditEntry } from "../../../domain/ports/audit-log.ts";
import type { NewChannel } from "../../../domain/ports/channels.ts";
import type { RoomEvent } from "../../../domain/ports/history.ts";
import type { NewMember } from "../../../domain/ports/members.ts";
import type { RoomBatch } from "../../../domain/ports/room-store.ts";
import type { AppId, ChannelId, ClientMessageId, UserId } from "../../../protocol/ids.ts";

/** A store under test. Every test takes an app of its own, so they share one database and never meet. */
export interface OpenedStore {
  store: Store;
  /** How many rows each table has; only a database can tell. */
  countRows?: (() => Promise<Record<string, number>>) | undefined;
  close(): Promise<void>;
}
export type Opened = () => OpenedStore;

let apps = 0;
export const newApp = () => `app-${++apps}-${crypto.randomUUID().slice(0, 8)}` as AppId;
export const user = (id: string) => id as UserId;
export const room = (id: string) => id as ChannelId;

export function channelOf(app: AppId, change: Partial<NewChannel> = {}): NewChannel {
  return {
    app,
    id: room("general"),
    type: "messaging",
    name: "General",
    createdBy: "alice",
    members: [],
    custom: {},
    ...change,
  };
}

export function eventOf(seq: number, change: Partial<RoomEvent> = {}): RoomEvent {
  return {
    seq,
    epoch: "epoch-1",
    kind: "message",
    id: `message-${seq}`,
    userId: user("alice"),
    username: "Alice",
    clientMessageId: `client-${seq}` as ClientMessageId,
    content: `Hello ${seq}`,
    at: Date.UTC(2026, 0, 2, 3, 4, 5, 678) + seq,
    ...change,
  };
}

export function entryOf(change: Partial<AuditEntry> = {}): AuditEntry {
  return {
    id: crypto.randomUUID(),
    at: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    action: "channel.create",
    actor: "alice",
    channelId: room("general"),
    subject: "general",
    requestId: "request-1",
    detail: null,
    ...change,
  };
}

/** Somebody who has just joined, and starts reading at the beginning. */
export function newcomer(id: string): NewMember {
  return { userId: user(id), readSeq: 0 };
}

export function batchOf(app: AppId, change: Partial<RoomBatch> = {}): RoomBatch {
  return { app, channelId: room("general"), events: [], members: [], reads: [], ...change };
}

/** Events `from` to `to`, both included. */
export function eventsOf(from: number, to: number): RoomEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => eventOf(from + index));
}
