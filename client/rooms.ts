import type { ServerFrame } from "../protocol/frames.ts";
import type { LaterFrame } from "./frames.ts";
import type { ChatRoom } from "./room.ts";
import type { RoomHost } from "./room-inside.ts";
import { openRoom, type RoomSession } from "./room-session.ts";

/** The rooms of a client: which there are, who wants them, and to which of them a frame goes. */
export function createRooms(host: RoomHost) {
  const sessions = new Map<string, RoomSession>();
  const joins = new Map<string, number>();
  let inAddress: RoomSession | undefined;

  const isWanted = ({ room, hasUnsent }: RoomSession): boolean => joins.has(room.id) || hasUnsent;

  function each(act: (session: RoomSession) => void): void {
    sessions.forEach(act);
  }

  /** The room of that id, joined or not. */
  function open(id: string): RoomSession {
    const known = sessions.get(id);
    if (known) return known;
    const session = openRoom(
      id,
      host,
      () => leave(id),
      () => settle(session),
    );
    sessions.set(id, session);
    host.kept?.restore(session);
    return session;
  }

  function leave(id: string): void {
    const session = sessions.get(id);
    const count = (joins.get(id) ?? 0) - 1;
    if (count > 0) joins.set(id, count);
    // Not at once: who unmounts and mounts again in one go has never left.
    else if (joins.delete(id) && session) setTimeout(() => settle(session), 0);
  }

  /** Joins a room that something is to be sent to; leaves one that nobody wants any more. */
  function settle(session: RoomSession): void {
    const isLeft = session.status === "left";
    if (isWanted(session) !== isLeft) return;
    if (isLeft) session.join();
    else session.left();
  }

  return {
    each,
    open,
    leave,

    get joined(): ChatRoom[] {
      return [...joins.keys()].map((id) => open(id).room);
    },

    join(id: string): ChatRoom {
      const session = open(id);
      joins.set(id, (joins.get(id) ?? 0) + 1);
      if (/left|refused/.test(session.status)) session.join();
      return session.room;
    },

    /** Chooses the room that the socket's address asks for. */
    choose(): RoomSession | undefined {
      inAddress = [...sessions.values()].find(isWanted);
      return inAddress;
    },

    /** There is a socket: everything that is wanted is joined on it. */
    welcomed(): void {
      each((session) => {
        if (session.status !== "left" || isWanted(session)) session.join(session === inAddress);
      });
    },

    hear(frame: ServerFrame | LaterFrame): void {
      if (frame.type === "heads") for (const [id, seq] of Object.entries(frame.rooms)) sessions.get(id)?.headIs(seq);
      const { roomId = "" } = frame as { roomId?: string }; // the few without one are about no room
      const session = sessions.get(roomId);
      // A socket is in some room from the start. One that nobody wants is left, unless it is the only one.
      if (frame.type === "room_joined" && !(session && isWanted(session)) && joins.size)
        host.send({ type: "leave_room", roomId });
      if (session) session.hear(frame);
      else if (frame.type === "error") host.events.emit("error", frame);
    },
  };
}
