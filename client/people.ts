import type { ServerFrame } from "../protocol/frames.ts";
import type { LaterFrame } from "./frames.ts";
import type { RoomInside } from "./room-inside.ts";
import type { Person, Typist } from "./types.ts";

const TYPING_MS = 6_000;
const REPEAT_MS = 3_000;
const IDLE_MS = 5_000;

/** Who is in a room and who types there, the user included. Lists are never changed, only replaced. */
export function createPeople({ host, events, say, changed }: RoomInside) {
  const { monotonicNow: now } = host.platform;
  const until = new Map<string, number>();
  let members: readonly Person[] = [];
  let memberCount = 0;
  let typing: readonly Typist[] = [];
  let typedAt = 0;
  let toldAt = -Infinity;
  let isTold = false;

  /** The whole list, or a sample of it. */
  function reset(people: readonly Person[], count: number): void {
    members = people.filter(({ status }) => status === "online");
    memberCount = count;
    changed();
  }

  /** @param count How many there are afterwards, when that was told. */
  function change(changes: readonly Person[], count?: number): void {
    const known = new Map(members.map((person) => [person.userId, person]));
    for (const person of changes) {
      if (person.status === "online") known.set(person.userId, person);
      else {
        known.delete(person.userId);
        stopped(person.userId);
      }
    }
    reset([...known.values()], count ?? memberCount + known.size - members.length);
    events.emit("presence", changes);
  }

  function typingIs(list: readonly Typist[]): void {
    typing = list;
    events.emit("typing", list);
    changed();
  }

  /** Somebody types no more. */
  function stopped(userId: string): void {
    if (until.delete(userId)) typingIs(typing.filter((typist) => typist.userId !== userId));
  }

  function started({ userId, username }: Typist): void {
    const isNew = !until.has(userId);
    until.set(userId, now() + TYPING_MS);
    if (isNew) typingIs([...typing, { userId, username }]);
  }

  /** The user types. Told now and then while it lasts. */
  function type(isTyping: boolean): void {
    typedAt = now();
    if (isTyping ? isTold && typedAt - toldAt < REPEAT_MS : !isTold) return;
    toldAt = typedAt;
    isTold = say({ type: "typing", isTyping }) && isTyping;
  }

  return {
    state: () => ({ members, memberCount, typing }),
    reset,
    stopped,
    type,

    /** The user has sent what they typed, which ends it at the server too. */
    wrote(): void {
      isTold = false;
    },

    hear(frame: ServerFrame | LaterFrame): void {
      switch (frame.type) {
        case "presence":
          return change([frame]);
        case "presence_changes":
          return change(frame.changes, frame.memberCount);
        case "presence_count":
          reset(frame.sample, frame.memberCount);
          return events.emit("presence", members);
        case "typing_indicator":
          if (!frame.isTyping) stopped(frame.userId);
          else if (frame.userId !== host.userId) started(frame);
          return;
        default: // nothing of people
      }
    },

    tick(): void {
      // Whoever has not been heard of for too long types no more.
      for (const [userId, end] of until) if (end <= now()) stopped(userId);
      if (isTold && now() - typedAt > IDLE_MS) type(false);
    },

    /** The socket is gone, and with it the news of who stops typing. */
    lost(): void {
      until.clear();
      if (typing.length) typingIs([]);
      isTold = false;
    },
  };
}
