import type { PresenceBoard } from "../domain/ports/presence-board.ts";
import type { UserId } from "../protocol/ids.ts";
import type { Durable } from "./durable.ts";
import { KEYS, type RoomIdentity } from "./kept.ts";
import type { RoomLogger } from "./log.ts";

/** Changes wait for company this long. */
const GATHER_MS = 2_000;
/** People who stay are reported again before the board (150 s) forgets them. */
const REFRESH_MS = 60_000;
const RETRY_MS = 15_000;
const USERS_PER_REPORT = 500;

export interface PresenceReporterDeps {
  board: Pick<PresenceBoard, "reportPresence">;
  now: () => number;
  /** What the board's times are in. */
  wall: () => number;
  log: RoomLogger;
  durable: Durable;
  online: () => Iterable<UserId>;
}

/** Tells the board that spans rooms who is here: off the path of any message, in batches, and again every minute. */
export class PresenceReporter {
  readonly #deps: PresenceReporterDeps;
  readonly #news = new Map<UserId, boolean>();
  #identity: RoomIdentity | undefined;
  #reportedAt = 0;
  #newsAt = 0;
  /** After a failure, nothing is reported before this. */
  #notBefore = 0;
  #reporting = false;

  constructor(deps: PresenceReporterDeps) {
    this.#deps = deps;
  }

  /** The room's first life: nobody was ever reported. */
  begin(identity: RoomIdentity): void {
    this.resume(identity, this.#deps.now() + GATHER_MS - REFRESH_MS);
  }

  /** @param reportedAt When the board was last told everything. */
  resume(identity: RoomIdentity, reportedAt: number): void {
    this.#identity = identity;
    this.#reportedAt = reportedAt <= this.#deps.now() ? reportedAt : 0;
  }

  seen(userId: UserId, isHere: boolean): void {
    if (this.#news.size === 0) this.#newsAt = Math.max(this.#deps.now() + GATHER_MS, this.#notBefore);
    this.#news.set(userId, isHere);
    this.#deps.durable.wakeBy(this.#newsAt);
  }

  /** When there is next something to report; undefined in an empty room with no news. */
  nextAt(): number | undefined {
    if (this.#reporting) return undefined;
    const refreshAt = this.#isEmpty() ? Infinity : Math.max(this.#reportedAt + REFRESH_MS, this.#notBefore);
    const at = Math.min(this.#news.size > 0 ? this.#newsAt : Infinity, refreshAt);
    return at === Infinity ? undefined : at;
  }

  /** Reports what is due. Never rejects: what a board that is away has missed it learns later. */
  async report(): Promise<void> {
    const now = this.#deps.now();
    const at = this.nextAt();
    if (at === undefined || at > now || this.#identity === undefined) return;
    const isRefresh = now >= this.#reportedAt + REFRESH_MS;
    const news = [...this.#news];
    this.#news.clear();
    this.#reporting = true;
    try {
      const online = isRefresh ? [...this.#deps.online()] : usersOf(news, true);
      await this.#send(this.#identity, online, usersOf(news, false));
      if (isRefresh) this.#reported(now);
    } catch (error) {
      this.#failed(news, now, error);
    } finally {
      this.#reporting = false;
    }
  }

  #isEmpty(): boolean {
    return this.#deps.online()[Symbol.iterator]().next().done === true;
  }

  #failed(news: [UserId, boolean][], now: number, error: unknown): void {
    for (const [userId, isHere] of news) if (!this.#news.has(userId)) this.#news.set(userId, isHere);
    this.#newsAt = this.#notBefore = now + RETRY_MS;
    this.#deps.log.error("presence_report_failed", error);
  }

  async #send({ app, channelId }: RoomIdentity, online: UserId[], offline: UserId[]): Promise<void> {
    for (let from = 0; from < Math.max(online.length, offline.length); from += USERS_PER_REPORT)
      await this.#deps.board.reportPresence(app, channelId, {
        online: online.slice(from, from + USERS_PER_REPORT),
        offline: offline.slice(from, from + USERS_PER_REPORT),
        at: new Date(this.#deps.wall()),
      });
  }

  #reported(now: number): void {
    this.#reportedAt = now;
    this.#deps.durable.keep({ [KEYS.board]: now });
  }
}

function usersOf(news: [UserId, boolean][], wanted: boolean): UserId[] {
  return news.filter(([, isHere]) => isHere === wanted).map(([userId]) => userId);
}
