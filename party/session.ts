import { dueAt } from "../domain/steady-clock.ts";
import type { AppId, UserId } from "../protocol/ids.ts";
import { TIMES } from "../protocol/limits.ts";
import type { Knock, Standing } from "./admission.ts";
import type { Connection } from "./platform.ts";

/** What a socket carries through hibernation: under 2 KB, and never a token. */
export interface SessionState {
  userId: UserId;
  app: AppId;
  username: string;
  /** Milliseconds since 1970, as are all times here. */
  openedAt: number;
  expiresAt: number;
  /** When the token was issued that keeps it open. */
  issuedAt: number;
  /** A token issued before this was revoked before the socket was opened. */
  notBefore: number;
  /** Until then its user may not write; 0 when they may, and `Infinity` until it is lifted. */
  mutedUntil: number;
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
  /** Everything up to here has arrived. Saved now and then only, and when the room stops pushing. */
  receivedSeq: number;
  /** It has sent a `received`: from then on nothing else acknowledges. */
  saysReceived: boolean;
  /** It is not pushed to, because too much is on its way to it. */
  behind: Behind | undefined;
  strikes: number;
  lastStrikeAt: number;
}

/** Where a reader stands that the room has stopped pushing to. */
export interface Behind {
  /** It was sent everything up to here. */
  sentSeq: number;
  /** Once it has acknowledged this much it is sent the next page. */
  resumeAt: number;
  stoppedAt: number;
  /** When it last acknowledged something. */
  progressAt: number;
}

/** A live socket. Change `state` freely and `save` what must survive hibernation. */
export interface Session {
  readonly connection: Connection;
  state: SessionState;
  /** The `receivedSeq` that would survive hibernation. */
  savedSeq: number;
  /** Characters it was sent since it was last heard of; those before a sleep do not count. */
  unheardChars: number;
}

/** The room's live sockets: kept in memory, rebuilt from the attachments when it wakes. */
export class Sessions {
  /** Those that take several frames in one message, and those that do not. */
  readonly lines = new Set<Session>();
  readonly singles = new Set<Session>();
  readonly #byId = new Map<string, Session>();
  readonly #byUser = new Map<UserId, Set<Session>>();

  add(connection: Connection, state: SessionState): Session {
    const session = this.#take(connection, state);
    save(session);
    return session;
  }

  /** Takes over what the platform kept. */
  restore(connections: Iterable<Connection>, now: number): void {
    for (const connection of connections) {
      const state = readState(connection);
      if (state === undefined) continue;
      const session = this.#take(connection, notAhead(state, now));
      if (session.state.heardAt !== state.heardAt) save(session); // else every waking would begin to count anew
    }
  }

  find(connection: Connection): Session | undefined {
    return this.#byId.get(connection.id);
  }

  /** Forgets a socket. @returns false when it was forgotten already. */
  remove(session: Session): boolean {
    const own = this.#byUser.get(session.state.userId);
    own?.delete(session);
    if (own?.size === 0) this.#byUser.delete(session.state.userId);
    this.lines.delete(session);
    this.singles.delete(session);
    return this.#byId.delete(session.connection.id);
  }

  get size(): number {
    return this.#byId.size;
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byId.values();
  }

  of(userId: UserId): Iterable<Session> {
    return this.#byUser.get(userId) ?? [];
  }

  #take(connection: Connection, state: SessionState): Session {
    const session = { connection, state, savedSeq: state.receivedSeq, unheardChars: 0 };
    const own = this.#byUser.get(state.userId) ?? new Set();
    this.#byId.set(connection.id, session);
    this.#byUser.set(state.userId, own.add(session));
    (state.lines ? this.lines : this.singles).add(session);
    return session;
  }
}

/** What a socket starts with. */
export function newState(
  { claims, username, lines, notBefore }: Knock,
  { readSeq, mutedUntil }: Standing,
  now: number,
): SessionState {
  return {
    userId: claims.userId,
    app: claims.app,
    username,
    openedAt: now,
    expiresAt: claims.expiresAt,
    issuedAt: claims.issuedAt,
    notBefore,
    mutedUntil,
    lines,
    joined: false,
    announced: false,
    present: false,
    heardAt: now,
    keepsAlive: false,
    typingUntil: 0,
    readSeq,
    receivedSeq: 0,
    saysReceived: false,
    behind: undefined,
    strikes: 0,
    lastStrikeAt: 0,
  };
}

/** The clock may have been set back since the room last slept: nothing has happened later than now. */
function notAhead(state: SessionState, now: number): SessionState {
  const { behind } = state;
  return {
    ...state,
    openedAt: Math.min(state.openedAt, now),
    heardAt: Math.min(state.heardAt, now),
    lastStrikeAt: Math.min(state.lastStrikeAt, now),
    typingUntil: dueAt(state.typingUntil, now, TIMES.typingExpiresMs),
    behind: behind && {
      ...behind,
      stoppedAt: Math.min(behind.stoppedAt, now),
      progressAt: Math.min(behind.progressAt, now),
    },
  };
}

/** Makes what a socket carries survive hibernation. */
export function save(session: Session): void {
  const { connection, state } = session;
  try {
    connection.setState({ ...state, behind: state.behind && { ...state.behind } });
    session.savedSeq = state.receivedSeq;
  } catch {
    // The socket is gone, and with it whatever there was to remember.
  }
}

/** What sockets lack that were let in by an older version. */
const ADDED_LATER = { issuedAt: 0, notBefore: 0, mutedUntil: 0 };

/** What a socket carries; undefined for one that was never let in. */
export function readState(connection: Connection): SessionState | undefined {
  const state = connection.state;
  // Only this class writes attachments, and only in this shape.
  if (typeof state !== "object" || state === null || !("userId" in state)) return undefined;
  const { behind, ...rest } = state as SessionState;
  return { ...ADDED_LATER, ...rest, behind: behind && { ...behind } };
}
