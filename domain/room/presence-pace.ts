import { TIMES } from "../../protocol/limits.ts";

/** More changes than this at about the same time are a rush; so are fewer that go on and on. */
const RUSH_CHANGES = 25;
const CALM_PER_SECOND = 5;
/** A crowd's count is told less often than who came and went among a few. */
const CROWD_GATHER_MS = 1_000;
const RUSH_GATHER_MS = 1_000;
const RUSH_GATHER_MAX_MS = 4_000;

/**
 * How long changes of presence are gathered before everybody is told. Each telling costs a frame for each person in the
 * room, so a rush is told ever more rarely while it lasts: five hundred people who join one room hear of it a few times.
 */
export class PresencePace {
  /** Changes told lately, leaking away at a calm room's rate; after a rush all is calm again within a second. */
  #level = 0;
  #toldAt = 0;
  #rushMs = 0;

  /** So many changes are told now. */
  told(changes: number, now: number): void {
    const level = Math.max(0, this.#level - this.#leaked(now));
    this.#level = Math.min(RUSH_CHANGES + CALM_PER_SECOND, level + changes);
    this.#toldAt = now;
  }

  /** How long to gather what has just begun to change. */
  gatherMs(now: number, isCrowded: boolean): number {
    if (this.#level - this.#leaked(now) <= RUSH_CHANGES) {
      this.#rushMs = 0;
      return isCrowded ? CROWD_GATHER_MS : TIMES.presenceGatherMs;
    }
    this.#rushMs = Math.min(RUSH_GATHER_MAX_MS, Math.max(RUSH_GATHER_MS, 2 * this.#rushMs));
    return this.#rushMs;
  }

  // A clock that was put back has leaked nothing.
  #leaked(now: number): number {
    return (Math.max(0, now - this.#toldAt) / 1_000) * CALM_PER_SECOND;
  }
}
