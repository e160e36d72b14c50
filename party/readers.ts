import type { RoomEvent } from "../domain/ports/history.ts";
import { roughBytes } from "../domain/room/event-log.ts";
import { Unread } from "../domain/room/unread.ts";
import type { ChannelId } from "../protocol/ids.ts";
import { TIMES } from "../protocol/limits.ts";
import { EventTexts, forAuthor, writeText } from "./event-texts.ts";
import { readEvents } from "./kept.ts";
import type { ChatRoom } from "./room.ts";
import { type Behind, save, type Session } from "./session.ts";

/** One page to a reader that catches up; two may be on their way at a time. */
const PAGE = { events: 200, bytes: 256 * 1024 };
/** Pages from storage that are remembered until the next alarm: those who fell behind together read the same. */
const OLD_PAGES = 4;
/** What a room that sleeps may forget of an acknowledgement; little next to what may be on its way. */
const SAVED_EVERY = 128;

/**
 * Flow control. The runtime queues without bound whatever is sent to a socket, so a reader that has not acknowledged
 * enough is not pushed to: nothing is kept for it, and as it acknowledges it reads on from the room's log, page by page,
 * until it is level with the others again.
 */
export class Readers {
  readonly #room: ChatRoom;
  readonly #unread = new Unread();
  readonly #texts = new EventTexts();
  readonly #reading = new Set<Session>();
  readonly #oldPages = new Map<number, Promise<RoomEvent[]>>();

  constructor(room: ChatRoom) {
    this.#room = room;
  }

  /** Shows a new event to everybody who keeps up. */
  show(event: RoomEvent, bytes: number): void {
    this.#unread.push(event.seq, bytes);
    const text = writeText(event, this.#roomId());
    const { seq, userId: author } = event;
    this.#room.fanOut.toReaders({ seq, text, author, authors: forAuthor(text, event) }, this.#unread.floor);
  }

  /** The reader has said how far it has come. */
  received(session: Session, seq: number): void {
    const isFirst = !session.state.saysReceived;
    session.state.saysReceived = true;
    if (isFirst) save(session); // a room that forgets it would take anything for an acknowledgement again
    this.#acknowledge(session, seq);
  }

  /** Any frame of a client that never says `received` acknowledges whatever it has been sent. */
  heard(session: Session): void {
    if (!session.state.saysReceived) this.#acknowledge(session, Infinity);
  }

  /**
   * The reader has been sent everything up to `sentSeq`, and is pushed nothing more for now.
   * @param since From when on it was told nothing else.
   * @returns the frames that say so.
   */
  stop(session: Session, sentSeq: number, since: number): readonly string[] {
    const { state } = session;
    const now = this.#room.clock.now();
    // It goes on once half of what is on its way has arrived.
    const resumeAt = Math.max(state.receivedSeq, sentSeq - Math.floor((sentSeq - state.receivedSeq) / 2));
    state.behind = { sentSeq, resumeAt, stoppedAt: Math.min(since, now), progressAt: now };
    save(session);
    this.#room.durable.wakeBy(now + TIMES.slowReaderMs);
    this.#room.deps.log.note("reader_stopped", { userId: state.userId, sentSeq, receivedSeq: state.receivedSeq });
    return this.#room.attendance.typingEnds(session);
  }

  /** What the reader is sent now begins a new reading: a join has told it everything up to here. */
  begin({ state }: Session, seq: number): void {
    state.receivedSeq = seq;
    state.behind = undefined;
  }

  /** Gives back the memory that catching up has taken. */
  forgetPages(): void {
    this.#oldPages.clear();
    this.#texts.clear();
  }

  #acknowledge(session: Session, seq: number): void {
    const { state } = session;
    const acknowledged = Math.min(seq, state.behind?.sentSeq ?? this.#room.life?.head.seq ?? 0);
    if (acknowledged <= state.receivedSeq) return;
    state.receivedSeq = acknowledged;
    if (state.behind === undefined) {
      if (acknowledged - session.savedSeq >= SAVED_EVERY) save(session);
      return;
    }
    state.behind.progressAt = this.#room.clock.now();
    save(session);
    this.#readOn(session);
  }

  #readOn(session: Session): void {
    if (this.#reading.has(session)) return;
    const work = this.#room.loadOrder()?.then(() => this.#sendPages(session)) ?? this.#sendPages(session);
    if (work === undefined) return;
    this.#reading.add(session);
    const end = (isRead: boolean) => {
      this.#reading.delete(session);
      if (isRead && dueOf(session) !== undefined) this.#readOn(session);
    };
    // After a failure it is tried again when the reader says more.
    work
      .then(() => end(true))
      .catch((error: unknown) => {
        end(false);
        this.#room.deps.log.error("reading_on_failed", error);
      });
  }

  /**
   * Sends what may be on its way: from memory at once, and the promise is only there while older pages come from storage.
   * There is no await between the last page and what is live, so nothing falls between the two.
   */
  #sendPages(session: Session): Promise<void> | undefined {
    for (let behind = dueOf(session); behind !== undefined; behind = dueOf(session)) {
      const { log } = this.#room.requireOrder();
      if (behind.sentSeq >= log.head) return this.#goLive(session, behind) as undefined;
      if (behind.sentSeq + 1 < log.first) return this.#room.end(session, "resync") as undefined;
      const page = log.page(behind.sentSeq, PAGE);
      if (page === undefined) return this.#sendOldPage(session, behind);
      this.#sendPage(session, behind, page);
      if (behind.sentSeq >= log.head) this.#goLive(session, behind);
    }
    return undefined;
  }

  async #sendOldPage(session: Session, behind: Behind): Promise<void> {
    const page = await this.#oldPage(behind.sentSeq);
    if (session.state.behind !== behind || !this.#isThere(session)) return;
    // What was there when we looked may have been pruned before we read it.
    if (page[0]?.seq !== behind.sentSeq + 1) this.#room.end(session, "resync");
    else this.#sendPage(session, behind, page);
  }

  #oldPage(after: number): Promise<RoomEvent[]> {
    const pages = this.#oldPages;
    const known = pages.get(after);
    if (known !== undefined) return known;
    const page = readEvents(this.#room.durable.storage, after, PAGE.events).then(firstOf);
    pages.set(after, page);
    page.catch(() => pages.delete(after));
    const [oldest] = pages.keys();
    if (pages.size > OLD_PAGES && oldest !== undefined) pages.delete(oldest);
    return page;
  }

  #sendPage(session: Session, behind: Behind, page: readonly RoomEvent[]): void {
    const { userId } = session.state;
    const roomId = this.#roomId();
    const texts = page.map((event) => this.#texts.textFor(userId, event, roomId));
    this.#room.fanOut.page(session, texts);
    behind.resumeAt = behind.sentSeq;
    behind.sentSeq = page.at(-1)?.seq ?? behind.sentSeq;
    if (this.#isThere(session)) save(session);
  }

  #goLive(session: Session, { stoppedAt }: Behind): void {
    if (!this.#isThere(session)) return;
    session.state.behind = undefined;
    this.#room.fanOut.admit(session);
    save(session);
    this.#room.attendance.tellMissed(session, stoppedAt);
    this.#room.deps.log.note("reader_caught_up", { userId: session.state.userId });
  }

  #isThere({ connection }: Session): boolean {
    return this.#room.sessions.find(connection) !== undefined;
  }

  #roomId(): ChannelId {
    return this.#room.requireLife().identity.channelId;
  }
}

/** Where the reader stands, if its next page may be sent. */
function dueOf({ state }: Session): Behind | undefined {
  const { joined, behind, receivedSeq } = state;
  return joined && behind !== undefined && receivedSeq >= behind.resumeAt ? behind : undefined;
}

/** As many as fit into one page, one at least. */
function firstOf(events: RoomEvent[]): RoomEvent[] {
  let bytes = 0;
  const end = events.findIndex((event, at) => (bytes += roughBytes(event)) > PAGE.bytes && at > 0);
  return end === -1 ? events : events.slice(0, end);
}
