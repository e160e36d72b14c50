import type { ChatMessage } from "./types.ts";

/** A message that has its place. */
export type PlacedMessage = ChatMessage & { seq: number; messageId: string };

/** Messages kept in memory; past it the oldest half goes, and `history` brings it back. */
const KEPT_MAX = 20_000;

/**
 * What is known of one room's order: an unbroken run from `first` to `position`, and what came after a gap. Not every
 * place need be a message's. Whatever the order in which things arrive, each message joins `messages` once, in its place.
 */
export class Timeline {
  epoch: string | undefined;
  /** Never changed, only replaced. */
  messages: readonly PlacedMessage[] = [];
  /** Everything there is from here to `position` is in `messages`. */
  first = 1;
  position = 0;
  /** The newest place that is known to be taken. */
  head = 0;
  /** Counts beginnings, so that what was asked for before one is not taken after it. */
  life = 0;
  readonly #ahead = new Map<number, PlacedMessage | undefined>();

  get isMissing(): boolean {
    return this.head > this.position;
  }

  /** Starts over: what comes begins at `first`. */
  begin(epoch: string | undefined, first: number, messages: readonly PlacedMessage[] = []): void {
    this.life++;
    this.epoch = epoch;
    this.messages = messages;
    this.first = first;
    this.position = this.head = messages.at(-1)?.seq ?? first - 1;
    this.#ahead.clear();
  }

  /** Forgets what came after a place, because the room did. */
  rewind(epoch: string, to: number): void {
    const kept = this.messages.filter(({ seq }) => seq <= to);
    this.begin(epoch, Math.min(this.first, to + 1), kept);
    this.position = this.head = to;
  }

  /** Passes over what is missing, up to the first thing that came after it. @returns what got its place by that. */
  skip(): PlacedMessage[] {
    this.life++;
    this.messages = [];
    this.first = Math.min(this.head + 1, ...this.#ahead.keys());
    this.position = this.first - 1;
    return this.#settle();
  }

  /** Takes what came for a place: a message, or something that is not shown. @returns what got its place by that. */
  take(seq: number, message: PlacedMessage | undefined): PlacedMessage[] {
    this.#hold(seq, message);
    return this.#settle();
  }

  /**
   * @param upTo The server vouches that up to here there is nothing else.
   * @returns the messages that got their place, in order
   */
  add(messages: readonly PlacedMessage[], upTo = 0): PlacedMessage[] {
    for (const message of messages) this.#hold(message.seq, message);
    this.know(upTo);
    return this.#settle(upTo);
  }

  know(head: number): void {
    this.head = Math.max(this.head, head);
  }

  /** Puts older messages before the others; `first` is where everything begins now. */
  prepend(messages: readonly PlacedMessage[], first: number): void {
    this.messages = [...messages.filter(({ seq }) => seq < this.first), ...this.messages];
    this.first = Math.min(this.first, first);
  }

  #hold(seq: number, message: PlacedMessage | undefined): void {
    if (seq <= this.position) return;
    this.#ahead.set(seq, message);
    this.know(seq);
  }

  #settle(upTo = 0): PlacedMessage[] {
    const placed: PlacedMessage[] = [];
    for (const seq of [...this.#ahead.keys()].sort((a, b) => a - b)) {
      if (seq > Math.max(upTo, this.position) + 1) break;
      const message = this.#ahead.get(seq);
      this.#ahead.delete(seq);
      if (message) placed.push(message);
      this.position = seq;
    }
    this.position = Math.max(upTo, this.position);
    if (placed.length) this.messages = [...this.messages, ...placed];
    if (this.messages.length > KEPT_MAX) {
      this.messages = this.messages.slice(-KEPT_MAX / 2);
      this.first = this.messages[0]?.seq ?? this.first;
    }
    return placed;
  }
}
