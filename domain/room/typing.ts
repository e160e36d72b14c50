import type { UserId } from "../../protocol/ids.ts";
import { TIMES } from "../../protocol/limits.ts";

/** More people typing than this are not told apart by anybody. */
export const TYPERS_MAX = 20;

export interface TypingNews {
  userId: UserId;
  isTyping: boolean;
}

interface Typist {
  /** Typing is over at this time unless the user goes on; 0 when they are not typing. */
  until: number;
  /** What the others were told last, and when. */
  told: boolean;
  toldAt: number;
  /** A `true` that came too soon after the last update and has to be told again later. */
  again: boolean;
}

/** Who is typing. Each user is told of at most once a second; the newest state always gets through in the end. */
export class Typing {
  readonly #typists = new Map<UserId, Typist>();

  start(userId: UserId, now: number): void {
    const typist = this.#typists.get(userId) ?? { until: 0, told: false, toldAt: 0, again: false };
    if (!this.#typists.has(userId) && this.#typists.size >= TYPERS_MAX) return;
    this.#typists.set(userId, typist);
    typist.until = now + TIMES.typingExpiresMs;
    typist.again = typist.told;
  }

  stop(userId: UserId): void {
    const typist = this.#typists.get(userId);
    if (typist === undefined) return;
    typist.until = 0;
    typist.again = false;
  }

  /** Somebody who was typing when the room last slept. */
  restore(userId: UserId, until: number): void {
    const known = this.#typists.get(userId)?.until ?? 0;
    this.#typists.set(userId, { until: Math.max(known, until), told: true, toldAt: 0, again: false });
  }

  /**
   * Those whom the others may believe to be typing: also who has just been told to have stopped, as somebody may have missed
   * that a moment ago. And whether they are.
   */
  told(now: number): TypingNews[] {
    return [...this.#typists].map(([userId, { told, until }]) => ({ userId, isTyping: told && until > now }));
  }

  /** When the user's typing ends by itself, for keeping; 0 when they are not typing. */
  until(userId: UserId): number {
    return this.#typists.get(userId)?.until ?? 0;
  }

  /** Takes what the others have to be told by now. */
  takeNews(now: number): TypingNews[] {
    const news: TypingNews[] = [];
    for (const [userId, typist] of this.#typists) {
      const isTyping = typist.until > now;
      const mayTell = now >= typist.toldAt + TIMES.typingIntervalMs;
      if ((isTyping !== typist.told || typist.again) && mayTell) {
        typist.told = isTyping;
        typist.toldAt = now;
        typist.again = false;
        news.push({ userId, isTyping });
      }
      if (!isTyping && !typist.told && now >= typist.toldAt + TIMES.typingIntervalMs) this.#typists.delete(userId);
    }
    return news;
  }

  /** When there will be something to tell. */
  nextAt(now: number): number | undefined {
    let next: number | undefined;
    for (const { until, told, toldAt, again } of this.#typists.values()) {
      const at = until > now && told && !again ? until : toldAt + TIMES.typingIntervalMs;
      next = Math.min(next ?? at, at);
    }
    return next;
  }
}
