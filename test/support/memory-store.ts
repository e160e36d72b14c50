import { BatchRefused, type RefusedEvent } from "../../domain/batch-refused.ts";
import type { ApiKeyRecord } from "../../domain/ports/api-keys.ts";
import type { AuditEntry, AuditStore } from "../../domain/ports/audit-log.ts";
import type { ChannelRecord, NewChannel } from "../../domain/ports/channels.ts";
import type { EventRange, RoomEvent } from "../../domain/ports/history.ts";
import type { ModerationStore } from "../../domain/ports/moderation.ts";
import type { RoomBatch } from "../../domain/ports/room-store.ts";
import type { Store } from "../../domain/ports/store.ts";
import { ChatError } from "../../protocol/errors.ts";
import type { AppId, ChannelId, UserId } from "../../protocol/ids.ts";
import { isBannedFrom, peopleStore } from "./memory-people.ts";
import { addAudit, byId, membersOf, nameOf, type State } from "./memory-state.ts";

/** The store on Maps, held to the same contract as the one in Postgres (`test/db/store.test.ts`). */
export function createMemoryStore(now: () => Date = () => new Date()): Store {
  const state: State = {
    keys: new Map(),
    users: new Map(),
    channels: new Map(),
    members: new Map(),
    restrictions: new Map(),
    bans: new Map(),
    events: new Map(),
    audit: [],
    moderation: new Map(),
  };
  return {
    ...keyStore(state),
    ...userStore(state),
    ...channelStore(state, now),
    ...peopleStore(state, now),
    ...historyStore(state),
    ...auditStore(state),
    ...moderationStore(state),
  };
}

function keyStore(state: State): Pick<Store, "findApiKey" | "insertApiKey" | "listApiKeys" | "revokeApiKey"> {
  const { keys } = state;
  const note = (action: "key.create" | "key.revoke", { app, id, environment }: ApiKeyRecord, at: Date) => {
    const about = { actor: "system", channelId: null, subject: id, requestId: null, detail: environment };
    addAudit(state, app, [{ ...about, id: crypto.randomUUID(), at: at.getTime(), action }]);
  };
  return {
    findApiKey: async (id) => structuredClone(keys.get(id)),
    insertApiKey: async (key) => {
      if (keys.has(key.id)) throw new ChatError("storage_unavailable");
      keys.set(key.id, structuredClone(key));
      note("key.create", key, key.createdAt);
    },
    listApiKeys: async (app) =>
      [...keys.values()]
        .filter((key) => app === undefined || key.app === app)
        .toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || byId(a.id, b.id))
        .map((key) => structuredClone(key)),
    revokeApiKey: async (id, at) => {
      const key = keys.get(id);
      if (key === undefined || key.revokedAt !== null) return false;
      keys.set(id, { ...key, revokedAt: at });
      note("key.revoke", key, at);
      return true;
    },
  };
}

function userStore({ users }: State): Pick<Store, "upsertUser"> {
  return {
    upsertUser: async (app, { id, name, image, custom }) => {
      const present = users.get(nameOf(app, id));
      const user = {
        id,
        name: name ?? present?.name ?? id,
        image: image ?? present?.image ?? null,
        custom: custom ?? present?.custom ?? {},
      };
      users.set(nameOf(app, id), structuredClone(user));
      return structuredClone(user);
    },
  };
}

type ChannelMethods =
  | "createChannel"
  | "findChannel"
  | "findMember"
  | "listMembers"
  | "listChannels"
  | "countChannels"
  | "ping";

function channelStore(state: State, now: () => Date): Pick<Store, ChannelMethods> {
  const { channels, members } = state;
  const mine = (app: AppId, userId: UserId) =>
    [...channels.values()].flatMap((channel) => {
      const member = members.get(nameOf(app, channel.id))?.get(userId);
      const isHere = channel.app === app && !isBannedFrom(state, app, channel.id, userId, now());
      return isHere && member !== undefined ? [{ channel, member }] : [];
    });
  return {
    createChannel: async (channel) => {
      const name = nameOf(channel.app, channel.id);
      const present = channels.get(name);
      if (present !== undefined) return { channel: structuredClone(present), created: false };
      const record = createRecord(state, channel, now());
      channels.set(name, record);
      addMembers(state, channel);
      noteCreation(state, channel, now());
      return { channel: structuredClone(record), created: true };
    },
    findChannel: async (app, id) => structuredClone(channels.get(nameOf(app, id))),
    findMember: async (app, id, userId) =>
      isBannedFrom(state, app, id, userId, now())
        ? undefined
        : structuredClone(members.get(nameOf(app, id))?.get(userId)),
    listMembers: async (app, id, limit) => {
      const userIds = [...(members.get(nameOf(app, id))?.values() ?? [])].map(({ userId }) => userId).toSorted(byId);
      return { count: userIds.length, userIds: userIds.slice(0, limit) };
    },
    listChannels: async (app, userId, { after, limit }) =>
      mine(app, userId)
        .filter(({ channel }) => channel.id > (after ?? ""))
        .toSorted((a, b) => byId(a.channel.id, b.channel.id))
        .slice(0, limit)
        .map((found) => structuredClone(found)),
    countChannels: async (app, userId) => {
      const found = mine(app, userId);
      const unread = found.map(({ channel, member }) => Math.max(channel.headSeq - member.readSeq, 0));
      return { channels: found.length, unread: unread.reduce((sum, count) => sum + count, 0) };
    },
    ping: async (signal) => {
      if (signal.aborted) throw new ChatError("storage_unavailable");
    },
  };
}

function createRecord({ events }: State, channel: NewChannel, createdAt: Date): ChannelRecord {
  const { app, id, type, name, createdBy, custom } = channel;
  const newest = newestOf(events.get(nameOf(app, id)));
  const head = { epoch: newest?.epoch ?? null, headSeq: newest?.seq ?? 0 };
  return { app, id, type, name, createdBy, custom: structuredClone(custom), createdAt, ...head };
}

function addMembers(state: State, { app, id, createdBy, members }: NewChannel): void {
  const present = membersOf(state, app, id);
  const owner = createdBy.includes(":") ? undefined : createdBy;
  for (const userId of owner === undefined ? members : [owner as UserId, ...members]) {
    const readSeq = present.get(userId)?.readSeq ?? 0;
    present.set(userId, { userId, role: userId === owner ? "owner" : "member", readSeq });
  }
}

function noteCreation(state: State, { app, id, type, createdBy, members, asked }: NewChannel, at: Date): void {
  const noted = {
    actor: asked?.actor ?? createdBy,
    requestId: asked?.requestId ?? null,
    channelId: id,
    at: at.getTime(),
  };
  const added = [...new Set(members)].filter((userId) => userId !== createdBy).toSorted(byId);
  addAudit(state, app, [
    { ...noted, id: crypto.randomUUID(), action: "channel.create", subject: id, detail: type },
    ...added.map((subject) => ({
      ...noted,
      id: crypto.randomUUID(),
      action: "member.add" as const,
      subject,
      detail: null,
    })),
  ]);
}

function historyStore(state: State): Pick<Store, "listEvents" | "findByClientId" | "writeBatch"> {
  return {
    listEvents: async (app, id, { before, after, limit }: EventRange) => {
      const within = [...(state.events.get(nameOf(app, id))?.values() ?? [])]
        .filter(({ seq }) => seq > (after ?? -1) && seq < (before ?? Number.MAX_SAFE_INTEGER))
        .toSorted((a, b) => a.seq - b.seq);
      const page = after !== undefined && before === undefined ? within.slice(0, limit) : within.slice(-limit);
      return structuredClone(limit === 0 ? [] : page);
    },
    findByClientId: async (app, id, userId, clientMessageId) => {
      const all = [...(state.events.get(nameOf(app, id))?.values() ?? [])];
      return structuredClone(all.find((event) => event.userId === userId && event.clientMessageId === clientMessageId));
    },
    writeBatch: async (batch) => {
      const members = membersOf(state, batch.app, batch.channelId);
      for (const { userId, readSeq, joined } of batch.members) {
        if (members.has(userId)) continue;
        members.set(userId, { userId, role: "member", readSeq });
        addAudit(state, batch.app, [joinEntry(batch.channelId, userId, joined)]);
      }
      const refused = batch.events.flatMap((event) => writeEvent(state, batch, event));
      moveHead(state, batch);
      for (const { userId, seq } of batch.reads) {
        const member = members.get(userId);
        if (member !== undefined) member.readSeq = Math.max(member.readSeq, seq);
      }
      addAudit(state, batch.app, batch.audit ?? []);
      if (refused.length > 0) throw new BatchRefused(refused);
    },
  };
}

function auditStore(state: State): AuditStore {
  return {
    writeAudit: async (app, entries) => addAudit(state, app, entries),
    listAudit: async (app, { before, channelId, limit }) =>
      structuredClone(
        state.audit
          .map(({ app: owner, entry }, index) => ({ owner, place: index + 1, entry }))
          .filter(({ owner, entry }) => owner === app && (channelId === undefined || entry.channelId === channelId))
          .filter(({ place }) => place < (before ?? Number.MAX_SAFE_INTEGER))
          .map(({ place, entry }) => ({ place, entry }))
          .toReversed()
          .slice(0, limit),
      ),
  };
}

function moderationStore(state: State): ModerationStore {
  const { moderation } = state;
  return {
    findModeration: async (app, id) =>
      structuredClone({
        app: moderation.get(nameOf(app, "")) ?? null,
        channel: moderation.get(nameOf(app, id)) ?? null,
      }),
    saveModeration: async (app, id, record, entry) => {
      moderation.set(nameOf(app, id ?? ""), structuredClone(record));
      addAudit(state, app, [entry]);
    },
  };
}

function writeEvent(state: State, { app, channelId }: RoomBatch, event: RoomEvent): RefusedEvent[] {
  const { events } = state;
  const { seq, epoch, id, userId, username, clientMessageId, content } = event;
  if ([username, content].some((text) => text.includes("\u0000") || !text.isWellFormed()))
    return [{ seq, reason: "unstorable" }];
  const present = events.get(nameOf(app, channelId)) ?? new Map<number, RoomEvent>();
  events.set(nameOf(app, channelId), present);
  const there = present.get(seq);
  if (there !== undefined) {
    const isSame = there.id === id && there.epoch === epoch && there.userId === userId && there.content === content;
    return isSame ? [] : [{ seq, reason: "conflict" }];
  }
  const isTaken = [...present.values()].some(
    (other) => clientMessageId !== null && other.userId === userId && other.clientMessageId === clientMessageId,
  );
  if (isTaken) return [{ seq, reason: "conflict" }];
  present.set(seq, structuredClone(event));
  addAudit(state, app, messageEntries(channelId, event));
  return [];
}

function joinEntry(
  channelId: ChannelId,
  userId: UserId,
  { at, requestId } = { at: Date.now(), requestId: null as string | null },
): AuditEntry {
  const id = crypto.randomUUID();
  return { id, at, action: "member.join", actor: userId, channelId, subject: userId, requestId, detail: null };
}

function messageEntries(
  channelId: ChannelId,
  { at, userId, id, clientMessageId, moderation }: RoomEvent,
): AuditEntry[] {
  const entry = { at, actor: userId, channelId, subject: id, requestId: clientMessageId, detail: null };
  const actions: AuditEntry["action"][] = ["message.send"];
  if (moderation !== undefined) actions.push(moderation === "masked" ? "message.mask" : "message.flag");
  return actions.map((action) => ({ ...entry, action, id: crypto.randomUUID() }));
}

function moveHead({ channels, events }: State, { app, channelId }: RoomBatch): void {
  const channel = channels.get(nameOf(app, channelId));
  const newest = newestOf(events.get(nameOf(app, channelId)));
  if (channel === undefined || newest === undefined || newest.seq <= channel.headSeq) return;
  channels.set(nameOf(app, channelId), { ...channel, headSeq: newest.seq, epoch: newest.epoch });
}

function newestOf(events: Map<number, RoomEvent> | undefined): RoomEvent | undefined {
  return events?.get(Math.max(...events.keys()));
}
