import type { BanRecord } from "../../domain/ports/bans.ts";
import type { RestrictionChange } from "../../domain/ports/restrictions.ts";
import type { Store } from "../../domain/ports/store.ts";
import type { AppId, ChannelId, UserId } from "../../protocol/ids.ts";
import { addAudit, byId, membersOf, nameOf, type State } from "./memory-state.ts";

type PeopleMethods =
  | "findRestriction"
  | "restrictUser"
  | "setBan"
  | "liftBan"
  | "listBans"
  | "addMembers"
  | "removeMember";

/** The part of the memory store about who may be where. */
export function peopleStore(state: State, now: () => Date): Pick<Store, PeopleMethods> {
  const { restrictions, channels } = state;
  const bansOf = (app: AppId, id: ChannelId) => {
    const present = state.bans.get(nameOf(app, id)) ?? new Map<string, BanRecord>();
    state.bans.set(nameOf(app, id), present);
    return present;
  };
  return {
    findRestriction: async (app, userId) =>
      structuredClone(restrictions.get(nameOf(app, userId)) ?? { revokedBefore: 0, ban: null }),
    restrictUser: async (app, userId, change, entry) => {
      const { revokedBefore, ban } = restrictions.get(nameOf(app, userId)) ?? { revokedBefore: 0, ban: null };
      const restriction = {
        revokedBefore: laterOf(revokedBefore, change),
        ban: change.ban === undefined ? ban : change.ban && { until: change.ban.until?.getTime() ?? null },
      };
      restrictions.set(nameOf(app, userId), restriction);
      addAudit(state, app, [entry]);
      return { restriction: structuredClone(restriction), decidedAt: now().getTime() };
    },
    setBan: async (app, id, ban, entry) => {
      bansOf(app, id).set(ban.userId, structuredClone(ban));
      addAudit(state, app, [entry]);
      return { decidedAt: now().getTime() };
    },
    liftBan: async (app, id, userId, entry) => {
      const lifted = bansOf(app, id).delete(userId);
      if (lifted) addAudit(state, app, [entry]);
      return { lifted, decidedAt: now().getTime() };
    },
    listBans: async (app, id, { after, limit }) =>
      [...bansOf(app, id).values()]
        .filter((ban) => ban.userId > (after ?? "") && isInForce(ban, now()))
        .toSorted((a, b) => byId(a.userId, b.userId))
        .slice(0, limit)
        .map((ban) => structuredClone(ban)),
    addMembers: async (app, id, userIds, entries) => {
      const members = membersOf(state, app, id);
      const readSeq = channels.get(nameOf(app, id))?.headSeq ?? 0;
      const added = userIds.filter((userId) => !members.has(userId));
      for (const userId of added) members.set(userId, { userId, role: "member", readSeq });
      addAudit(
        state,
        app,
        entries.filter(({ subject }) => added.some((userId) => userId === subject)),
      );
    },
    removeMember: async (app, id, userId, entry) => {
      const removed = membersOf(state, app, id).delete(userId);
      if (removed) addAudit(state, app, [entry]);
      return removed;
    },
  };
}

export function isBannedFrom({ bans }: State, app: AppId, id: ChannelId, userId: UserId, now: Date): boolean {
  const ban = bans.get(nameOf(app, id))?.get(userId);
  return ban?.kind === "ban" && isInForce(ban, now);
}

function isInForce({ until }: Pick<BanRecord, "until">, now: Date): boolean {
  return until === null || until > now;
}

function laterOf(there: number, { revokedBefore = 0 }: RestrictionChange): number {
  const isAhead = revokedBefore > 0 && there > revokedBefore + 60_000;
  return isAhead ? revokedBefore : Math.max(there, revokedBefore);
}
