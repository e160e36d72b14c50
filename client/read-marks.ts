import type { RoomInside } from "./room-inside.ts";
import type { PlacedMessage } from "./timeline.ts";
import type { Channel } from "./types.ts";

/** How far everybody has read a room, and what that leaves unread. */
export function createReadMarks({ id, host, events, timeline, say, changed }: RoomInside) {
  let readMarks: Readonly<Record<string, number>> = {};
  /** What counts as read as long as there is no mark: what was there when the room was first seen. */
  let seenAt = 0;
  /** What the server knows of the user's own mark. */
  let toldAt = 0;
  let isFound = false;

  const me = (): string => host.userId ?? "";

  function mark(userId: string, seq: number): void {
    if (seq <= (readMarks[userId] ?? 0)) return;
    readMarks = { ...readMarks, [userId]: seq };
    events.emit("read", { userId, seq });
    changed();
  }

  /** The server says so. */
  function heard(userId: string, seq: number): void {
    if (userId === me()) seenAt = toldAt = Math.max(toldAt, seq);
    mark(userId, seq);
    changed();
  }

  /** Others' messages after the mark; of places whose messages are not here it is not known whose they are. */
  function countUnread(): number {
    const { messages, first } = timeline;
    const read = readMarks[me()] ?? seenAt;
    let count = Math.max(0, first - 1 - read);
    for (let at = messages.length - 1; at >= 0; at--) {
      const { seq, userId } = messages[at] as PlacedMessage; // within its bounds
      if (seq <= read) break;
      if (userId !== host.userId) count++;
    }
    return count;
  }

  return {
    get state() {
      return { unread: countUnread(), readMarks };
    },
    heard,

    /** The user has read up to `seq`. */
    markRead(seq: number): void {
      mark(me(), Math.min(seq, timeline.head));
    },

    /** The room begins: what is there already is read, or was as an earlier visit says. */
    begin(readSeq?: number): void {
      seenAt = timeline.position;
      if (readSeq) mark(me(), readSeq);
    },

    /** Asks history for the mark, once: the room knows only those that were set since the user came to it. */
    async find(): Promise<void> {
      if (isFound) return;
      const { readSeq } = await host.api<Partial<Channel>>(`channels/${id}`).catch((): Partial<Channel> => ({}));
      if (readSeq === undefined) return;
      isFound = true;
      heard(me(), readSeq);
    },

    /** Says what was read, if that is news. */
    tell(): void {
      const read = readMarks[me()] ?? 0;
      if (read > toldAt && read <= timeline.position && say({ type: "read", seq: read })) toldAt = read;
    },

    clear(): void {
      readMarks = {};
      toldAt = 0;
      isFound = false;
    },
  };
}
