import type { AppId, UserId } from "../protocol/ids.ts";
import type { Knock } from "./admission.ts";
import type { Connection } from "./platform.ts";

/** What a socket carries through hibernation: under 2 KB, and never a token. */
export interface SessionState {
  userId: UserId;
  app: AppId;
  username: string;
  /** Milliseconds since 1970, as are all times here. */
  openedAt: number;
  expiresAt: number;
  /** The client takes several frames in one WebSocket message, one a line. */
  lines: boolean;
  /** It is in the room: between `room_joined` and `room_left`. */
  joined: boolean;
  /** The others were told that this user is here. */
  announced: boolean;
  /** It counts as somebody who is here: it is joined and was heard of lately. */
  present: boolean;
  /** The last time a frame came. */
  heardAt: number;
  /** It has sent a `ping` or a `received`, so its silence means something. */
  keepsAlive: boolean;
  typingUntil: number;
  readSeq: number;
  receivedSeq: number;
  strikes: number;
  lastStrikeAt: number;
}

/** A live socket. Change `state` freely and `save` what must survive hibernation. */
export interface Session {
  readonly connection: Connection;
  state: SessionState;
}

/** The room's live sockets: kept in memory, rebuilt from the attachments when it wakes. */
export class Sessions {
  readonly #byId = new Map<string, Session>();

  add(connection: Connection, state: SessionState): Session {
    const session = { connection, state };
    this.#byId.set(connection.id, session);
    save(session);
    return session;
  }

  /** Takes over what the platform kept. */
  restore(connections: Iterable<Connection>): void {
    for (const connection of connections) {
      const state = readState(connection);
      if (state !== undefined) this.#byId.set(connection.id, { connection, state });
    }
  }

  find(connection: Connection): Session | undefined {
    return this.#byId.get(connection.id);
  }

  /** Forgets a socket. @returns false when it was forgotten already. */
  remove(session: Session): boolean {
    return this.#byId.delete(session.connection.id);
  }

  get size(): number {
    return this.#byId.size;
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byId.values();
  }

  *of(userId: UserId): Iterable<Session> {
    for (const session of this.#byId.values()) if (session.state.userId === userId) yield session;
  }
}

/** What a socket starts with. */
export function newState({ claims, username, lines }: Knock, readSeq: number, now: number): SessionState {
  return {
    userId: claims.userId,
    app: claims.app,
    username,
    openedAt: now,
    expiresAt: claims.expiresAt,
    lines,
    joined: false,
    announced: false,
    present: false,
    heardAt: now,
    keepsAlive: false,
    typingUntil: 0,
    readSeq,
    receivedSeq: 0,
    strikes: 0,
    lastStrikeAt: 0,
  };
}

/** Makes what a socket carries survive hibernation. */
export function save({ connection, state }: Session): void {
  try {
    connection.setState({ ...state });
  } catch {
    // The socket is gone, and with it whatever there was to remember.
  }
}

/** What a socket carries; undefined for one that was never let in. */
export function readState(connection: Connection): SessionState | undefined {
  const state = connection.state;
  // Only this class writes attachments, and only in this shape.
  return typeof state === "object" && state !== null && "userId" in state ? { ...(state as SessionState) } : undefined;
}
