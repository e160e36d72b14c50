import { TIMES } from "../protocol/limits.ts";
import type { Session, Sessions } from "./session.ts";

/** More frames than this within one gathering time make a room busy. */
const BUSY_FRAMES = 5;
/** What is gathered leaves early when it grows past this. */
const GATHER_MAX_CHARS = 64 * 1024;

/** Runs `callback` after `ms`; only for times too short to matter to hibernation. */
export type After = (ms: number, callback: () => void) => void;

/**
 * Sends frames to sockets, in order. A quiet room sends at once. A busy one gathers what goes to `chat.v1.lines` sockets
 * for at most 15 ms and sends it as one message: that is the largest saving there is in a full room.
 *
 * Most sockets get the same frames, so what is gathered is kept once; a socket that gets a frame of its own in between
 * gets a list of its own.
 */
export class FanOut {
  readonly #sessions: Sessions;
  readonly #after: After;
  readonly #now: () => number;
  readonly #lost: (session: Session) => void;
  #shared: string[] = [];
  #own = new Map<Session, string[]>();
  #chars = 0;
  #gathering = false;
  #recent: number[] = [];

  constructor(sessions: Sessions, after: After, now: () => number, lost: (session: Session) => void) {
    this.#sessions = sessions;
    this.#after = after;
    this.#now = now;
    this.#lost = lost;
  }

  /** One frame to one socket, behind everything it has been sent before. */
  toOne(session: Session, text: string): void {
    if (!this.#gathering || !session.state.lines) return this.#send(session, text);
    this.#ownList(session).push(text);
    this.#grew(text);
  }

  /** One frame to every joined socket; `instead` may give a socket another text, or null for nothing. */
  toAll(text: string, instead?: (session: Session) => string | null | undefined): void {
    if (this.#isBusy()) this.#gather();
    for (const session of this.#sessions) {
      const special = session.state.joined ? instead?.(session) : null;
      if (!this.#gathering || !session.state.lines) {
        if (special !== null) this.#send(session, special ?? text);
        continue;
      }
      if (special === undefined) this.#own.get(session)?.push(text);
      else if (special === null) this.#ownList(session);
      else this.#ownList(session).push(special);
    }
    if (!this.#gathering) return;
    this.#shared.push(text);
    this.#grew(text);
  }

  /** A socket that has just been let in: what is gathered now is not for it. */
  admit(session: Session): void {
    if (this.#gathering) this.#own.set(session, []);
  }

  /** Sends what is gathered. */
  flush(): void {
    if (!this.#gathering) return;
    const shared = this.#shared.join("\n");
    const own = this.#own;
    this.#shared = [];
    this.#own = new Map();
    this.#chars = 0;
    this.#gathering = false;
    for (const session of this.#sessions) {
      if (!session.state.lines) continue;
      const text = own.get(session)?.join("\n") ?? shared;
      if (text !== "") this.#send(session, text);
    }
  }

  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#after(TIMES.frameGatherMs, () => this.flush());
  }

  #grew(text: string): void {
    this.#chars += text.length;
    if (this.#chars > GATHER_MAX_CHARS) this.flush();
  }

  #ownList(session: Session): string[] {
    const list = this.#own.get(session) ?? [...this.#shared];
    this.#own.set(session, list);
    return list;
  }

  #isBusy(): boolean {
    const now = this.#now();
    this.#recent.push(now);
    if (this.#recent.length > BUSY_FRAMES + 1) this.#recent.shift();
    return this.#recent.length > BUSY_FRAMES && (this.#recent[0] ?? 0) > now - TIMES.frameGatherMs;
  }

  #send(session: Session, text: string): void {
    try {
      session.connection.send(text);
    } catch {
      this.#lost(session); // it is gone: the runtime tells so late or never
    }
  }
}
