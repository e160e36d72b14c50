import type { UserId } from "../protocol/ids.ts";
import { LIMITS, TIMES } from "../protocol/limits.ts";
import type { After } from "./deps.ts";
import type { Session, Sessions } from "./session.ts";

/** More frames than this within one gathering time make a room busy, however few hear them. */
const BUSY_FRAMES = 3;
/** So do fewer that many hear: in a large room it is the sending that takes the time, so that few frames get their turn. */
const BUSY_DELIVERIES = 3_000;
const BUSY_SPAN_MS = 100;
const REMEMBERED_FRAMES = 30;
/** What is gathered leaves early when it grows past so much for each listener: to many, a message is dear to send. */
const GATHER_CHARS_PER_LISTENER = 2_500;
const GATHER_MIN_CHARS = 64 * 1024;
const GATHER_MAX_CHARS = 256 * 1024;
/** However many listen, one flush puts no more than this on its way. */
const FLUSH_MAX_CHARS = 64 * 1024 * 1024;
/**
 * Half of what may be on its way to a reader. One that has acknowledged everything must be able to take it, and would have
 * nothing more to acknowledge if it could not; that a room that slept forgets some of it is why it is not all.
 */
const GATHER_MAX_EVENTS = LIMITS.unreadMaxEvents / 2;

/** An event as everybody reads it, and as its author's own sockets do. */
export interface EventText {
  seq: number;
  text: string;
  author: UserId;
  authors: string;
}

export interface FanOutDeps {
  sessions: Sessions;
  after: After;
  now: () => number;
  /** A socket turned out to be gone. */
  lost: (session: Session) => void;
  /** A client that is not heard of was sent more than may wait for it. */
  deaf: (session: Session) => void;
  /**
   * A reader was sent everything up to `sentSeq` and nothing after it, because too much is on its way to it.
   * @param since From when on it was told nothing else either.
   * @returns the last frames it gets.
   */
  stop: (session: Session, sentSeq: number, since: number) => readonly string[];
}

/**
 * Sends frames to sockets, in order. A quiet room sends at once. A busy one gathers what goes to `chat.v1.lines` sockets
 * for at most 15 ms and sends it as one message: that is the largest saving there is in a full room.
 *
 * Most sockets get the same frames, so what is gathered is kept once, and a frame costs the room the same however many
 * read it; a socket that gets a frame of its own in between gets a list of its own. Readers that are behind get nothing
 * but what answers them.
 */
export class FanOut {
  readonly #deps: FanOutDeps;
  #shared: string[] = [];
  #own = new Map<Session, string[]>();
  #chars = 0;
  #gathering = false;
  #gatherings = 0;
  #gatheredAt = 0;
  /** The first and the last event in what is gathered; 0 for none. */
  #firstSeq = 0;
  #lastSeq = 0;
  #floor = 0;
  #recent: number[] = [];

  constructor(deps: FanOutDeps) {
    this.#deps = deps;
  }

  /** One frame to one socket, behind everything it has been sent before. */
  toOne(session: Session, text: string): void {
    if (!this.#gathering || !session.state.lines) return this.#send(session, text);
    this.#ownList(session).push(text);
    this.#grew(text);
  }

  /** Events to one reader that is behind: in one message if it takes several. */
  page(session: Session, texts: readonly string[]): void {
    if (session.state.lines) this.toOne(session, texts.join("\n"));
    else for (const text of texts) this.#send(session, text);
  }

  /** One frame to every joined socket that keeps up, but those of one user. */
  toAll(text: string, except?: UserId): void {
    this.#spread(text, except, null, 0);
  }

  /** The next event to every joined socket that keeps up. @param floor Who has acknowledged less does not. */
  toReaders({ seq, text, author, authors }: EventText, floor: number): void {
    this.#floor = floor;
    this.#spread(text, authors === text ? undefined : author, authors, seq);
  }

  /** A socket that is let in or caught up just now: what is gathered already is not for it. */
  admit(session: Session): void {
    if (this.#gathering && session.state.lines && !this.#own.has(session)) this.#own.set(session, []);
  }

  /** A socket that is about to leave the room: what is gathered from now on is not for it. */
  part(session: Session): void {
    if (this.#gathering && session.state.lines) this.#ownList(session);
  }

  /** Sends what is gathered. */
  flush(): void {
    if (!this.#gathering) return;
    const shared = this.#shared.join("\n");
    const own = this.#own;
    const [firstSeq, lastSeq, gatheredAt] = [this.#firstSeq, this.#lastSeq, this.#gatheredAt];
    this.#shared = [];
    this.#own = new Map();
    this.#chars = this.#firstSeq = this.#lastSeq = 0;
    this.#gathering = false;
    for (const session of this.#deps.sessions.lines) {
      const list = own.get(session);
      if (list !== undefined && list.length > 0) this.#send(session, list.join("\n"));
      else if (list === undefined && takes(session))
        if (lastSeq > 0 && this.#isOver(session)) this.#stop(session, firstSeq - 1, gatheredAt);
        else this.#send(session, shared);
    }
  }

  #spread(text: string, special: UserId | undefined, instead: string | null, seq: number): void {
    if (this.#isBusy()) this.#gather();
    const gathering = this.#gathering;
    const { sessions } = this.#deps;
    for (const session of gathering ? sessions.singles : sessions) {
      const { state } = session;
      if (!state.joined || state.behind !== undefined) continue;
      if (seq > 0 && this.#isOver(session)) this.#stop(session, seq - 1, this.#deps.now());
      else if (state.userId !== special) this.#send(session, text);
      else if (instead !== null) this.#send(session, instead);
    }
    if (gathering) this.#keep(text, special, instead, seq);
  }

  #keep(text: string, special: UserId | undefined, instead: string | null, seq: number): void {
    if (special !== undefined)
      for (const session of this.#deps.sessions.of(special))
        if (session.state.lines && takes(session)) this.#ownList(session);
    for (const [session, list] of this.#own) {
      if (!takes(session)) continue;
      if (seq > 0 && this.#isOver(session)) {
        list.push(...this.#deps.stop(session, seq - 1, this.#deps.now()));
        continue;
      }
      const own = session.state.userId === special ? instead : text;
      if (own !== null) list.push(own);
    }
    this.#shared.push(text);
    if (seq > 0) {
      this.#firstSeq ||= seq;
      this.#lastSeq = seq;
    }
    this.#grew(text);
  }

  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#gatheredAt = this.#deps.now();
    const nth = ++this.#gatherings;
    // Not what is gathered after this has left early.
    this.#deps.after(TIMES.frameGatherMs, () => {
      if (nth === this.#gatherings) this.flush();
    });
  }

  #grew(text: string): void {
    this.#chars += text.length;
    const isLong = this.#firstSeq > 0 && this.#lastSeq - this.#firstSeq + 1 >= GATHER_MAX_EVENTS;
    if (isLong || this.#chars > gatherMaxChars(this.#deps.sessions.lines.size)) this.flush();
  }

  #ownList(session: Session): string[] {
    const known = this.#own.get(session);
    if (known !== undefined) return known;
    const isOver = this.#lastSeq > 0 && takes(session) && this.#isOver(session);
    const last = isOver ? this.#deps.stop(session, this.#firstSeq - 1, this.#gatheredAt) : [];
    const list = takes(session) ? [...this.#shared] : [...last];
    this.#own.set(session, list);
    return list;
  }

  #stop(session: Session, sentSeq: number, since: number): void {
    for (const text of this.#deps.stop(session, sentSeq, since)) this.#send(session, text);
  }

  /** Too much is on its way to it for the newest event. */
  #isOver({ state }: Session): boolean {
    return state.receivedSeq < this.#floor;
  }

  #isBusy(): boolean {
    const now = this.#deps.now();
    this.#recent.push(now);
    if (this.#recent.length > REMEMBERED_FRAMES) this.#recent.shift();
    if ((this.#recent.at(-1 - BUSY_FRAMES) ?? 0) > now - TIMES.frameGatherMs) return true;
    const enough = Math.max(2, Math.ceil(BUSY_DELIVERIES / this.#deps.sessions.size));
    return (this.#recent.at(-enough) ?? 0) > now - BUSY_SPAN_MS;
  }

  #send(session: Session, text: string): void {
    try {
      session.connection.send(text);
    } catch {
      return this.#deps.lost(session); // it is gone: the runtime tells so late or never
    }
    session.unheardChars += text.length;
    if (session.unheardChars <= LIMITS.unheardMaxChars) return;
    session.unheardChars = 0;
    this.#deps.deaf(session);
  }
}

function gatherMaxChars(listeners: number): number {
  const worthIt = Math.max(GATHER_MIN_CHARS, listeners * GATHER_CHARS_PER_LISTENER);
  return Math.min(worthIt, GATHER_MAX_CHARS, FLUSH_MAX_CHARS / Math.max(1, listeners));
}

/** Whether what goes to everybody goes to this socket. */
function takes({ state }: Session): boolean {
  return state.joined && state.behind === undefined;
}
