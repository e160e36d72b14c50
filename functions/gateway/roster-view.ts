import type { RoomMember, ServerFrame } from "../../protocol/frames.ts";
import type { ChannelId, UserId } from "../../protocol/ids.ts";
import { LIMITS } from "../../protocol/limits.ts";

type Frame<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;

/**
 * Who the client believes to be in a room, so that what it missed while the room was out of reach can be told the way it is
 * always told: as differences. A crowd is told as a count, so of a crowd nothing is kept.
 */
export class RosterView {
  readonly #roomId: ChannelId;
  #online = new Map<UserId, string>();
  /** Believed to be here, but not in the room's list since it came back: perhaps only slower to return than we were. */
  readonly #missing = new Set<UserId>();
  #isCrowd = false;

  constructor(roomId: ChannelId) {
    this.#roomId = roomId;
  }

  /** The client gets the whole list. */
  reset(memberCount: number, members: readonly RoomMember[]): void {
    this.#isCrowd = memberCount > members.length;
    this.#online = new Map(this.#isCrowd ? [] : members.map(({ userId, username }) => [userId, username]));
    this.#missing.clear();
  }

  /** @returns false when the client believes all of it already. */
  noteAll(changes: Frame<"presence_changes">["changes"]): boolean {
    return changes.map((change) => this.note(change)).includes(true);
  }

  /** @returns false when the client believes it already. */
  note({ userId, username, status }: Pick<Frame<"presence">, "userId" | "username" | "status">): boolean {
    const wasMissing = this.#missing.delete(userId);
    if (status === "online") this.#online.set(userId, username);
    else this.#online.delete(userId);
    return !(wasMissing && status === "online");
  }

  /** The room is back: who has come. Who may have gone is told by `takeMissing`, after a time to return in. */
  compare({ memberCount, members }: Frame<"room_joined">, now: number): ServerFrame[] {
    const isCrowd = memberCount > members.length;
    if (isCrowd || this.#isCrowd) {
      this.reset(memberCount, members);
      return [{ type: "presence_count", roomId: this.#roomId, memberCount, sample: members }];
    }
    const here = new Set(members.map(({ userId }) => userId));
    for (const userId of this.#online.keys()) if (!here.has(userId)) this.#missing.add(userId);
    const come = members.filter(({ userId }) => !this.#online.has(userId));
    for (const { userId, username } of members) {
      this.#online.set(userId, username);
      this.#missing.delete(userId);
    }
    return this.#told(come, "online", now);
  }

  /** Who has not come back. */
  takeMissing(now: number): ServerFrame[] {
    const gone = [...this.#missing].map((userId) => ({ userId, username: this.#online.get(userId) ?? userId }));
    for (const userId of this.#missing) this.#online.delete(userId);
    this.#missing.clear();
    return this.#told(gone, "offline", now);
  }

  /** As a room tells it: a few changes singly, many in one frame. */
  #told(
    people: readonly { userId: UserId; username: string }[],
    status: "online" | "offline",
    now: number,
  ): ServerFrame[] {
    const roomId = this.#roomId;
    const lastSeen = new Date(now).toISOString();
    const changes = people.map(({ userId, username }) => ({ userId, username, status, lastSeen }));
    if (changes.length > LIMITS.presenceSingles)
      return [{ type: "presence_changes", roomId, memberCount: this.#online.size, changes }];
    return changes.map((change) => ({ type: "presence", roomId, ...change }));
  }
}
