import type { RoomInside } from "./room-inside.ts";
import type { PlacedMessage } from "./timeline.ts";

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
    changed();
    if (seq <= (readMarks[userId] ?? 0)) return;
    readMarks = { ...readMarks, [userId]: seq };
    events.emit("read", { userId, seq });
  }

  /** The server says so. */
  function heard(userId: string, seq: number): void {
    if (userId === me()) {
      seenAt = toldAt = Math.max(toldAt, seq);
      isFound = true;
    }
    mark(userId, seq);
  }

  /** Others' messages after the mark; of places whose messages are not here it is not known whose they are. */
  function countUnread(): number {
    const read = readMarks[me()] ?? seenAt;
    const isUnread = ({ seq, userId }: PlacedMessage) => seq > read && userId !== host.userId;
    return Math.max(0, timeline.first - 1 - read) + timeline.messages.filter(isUnread).length;
  }

  return {
    state: () => ({ unread: countUnread(), readMarks }),
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

    /** Asks history for the mark, unless the room has said it: it knows only those that were set in it. */
    async find(): Promise<void> {
      if (isFound) return;
      const channel = await host
        .http()
        .then((http) => http.channel(id))
        .catch(() => undefined);
      if (!channel) return;
      isFound = true;
      if (channel.readSeq !== undefined) heard(me(), channel.readSeq);
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
