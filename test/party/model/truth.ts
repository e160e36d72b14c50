import type { RoomEvent } from "../../../domain/ports/history.ts";
import type { Message, ServerFrame, ServerFrameOf } from "../../../protocol/frames.ts";

/** What a message was acked as. */
interface Acked {
  seq: number;
  messageId: string;
  timestamp: string;
  content: string;
}

/**
 * What must be true of a room, as somebody knows it who only sees what clients send and get. It is told everything in the
 * order it happens, and throws at the first thing that cannot be.
 */
export class Truth {
  readonly acked = new Map<string, Acked>();
  /** How often a content was sent under a client id. */
  readonly #sent = new Map<string, Map<string, number>>();
  readonly #fresh = new Set<string>();
  /** Contents sent under a client id and never answered: any of them may be stored. */
  readonly unanswered = new Map<string, Set<string>>();
  /** Whether history can say what it knows of an old client id. */
  historyAnswers = true;
  /** Every message that was seen anywhere. */
  readonly #bySeq = new Map<number, Pick<Message, "messageId" | "userId" | "content" | "timestamp">>();

  /** The newest `seq` that anybody has seen. */
  get head(): number {
    return Math.max(0, ...this.#bySeq.keys(), ...[...this.acked.values()].map(({ seq }) => seq));
  }

  sent(name: string, content: string): void {
    const times = this.#sent.get(name) ?? new Map<string, number>();
    this.#sent.set(name, times.set(content, (times.get(content) ?? 0) + 1));
  }

  lost(name: string, content: string): void {
    this.unanswered.set(name, (this.unanswered.get(name) ?? new Set()).add(content));
  }

  /** An ack of a message that was sent under `name`. */
  ack(name: string, content: string, ack: ServerFrameOf<"ack">): void {
    const { seq, messageId, timestamp, duplicate } = ack;
    const before = this.acked.get(name);
    require(duplicate || !this.#fresh.has(name), `${name} was acked twice as new, at ${before?.seq} and ${seq}`);
    if (!duplicate) this.#fresh.add(name);
    if (before !== undefined) {
      require(before.content === content, `${name} was acked with two contents`);
      require(before.seq === seq && before.messageId === messageId && before.timestamp === timestamp, `${name} moved`);
      return;
    }
    require(!duplicate || (this.#sent.get(name)?.get(content) ?? 0) > 1, `${name} is a duplicate of nothing`);
    for (const [other, { seq: taken }] of this.acked) require(taken !== seq, `${name} and ${other} have ${seq}`);
    const seen = this.#bySeq.get(seq);
    require(seen === undefined || seen.messageId === messageId, `${seq} had another message before ${name}`);
    this.acked.set(name, { seq, messageId, timestamp, content });
  }

  /** A message that was sent under `name` was refused. */
  refused(name: string, content: string, { code }: ServerFrameOf<"error">): void {
    const hasOthers = [...(this.#sent.get(name)?.keys() ?? [])].some((other) => other !== content);
    require(code === "duplicate_conflict", `${name} was refused with ${code}`);
    require(hasOthers && this.acked.get(name)?.content !== content, `${name} conflicts with nothing`);
  }

  /** A message as anybody reads it. */
  seen({ seq, messageId, userId, content, timestamp }: Message): void {
    const before = this.#bySeq.get(seq);
    if (before === undefined) this.#bySeq.set(seq, { messageId, userId, content, timestamp });
    else
      require(before.messageId === messageId &&
        before.content === content &&
        before.userId === userId &&
        before.timestamp === timestamp, `${seq} was "${before.content}" and is "${content}"`);
  }

  /** The whole history, at the end. */
  history(events: readonly RoomEvent[]): void {
    const names = new Map<string, number>();
    for (const [at, { seq, id, userId, clientMessageId, content, at: time }] of events.entries()) {
      require(seq === at + 1, `history has ${seq} at place ${at + 1}`);
      this.seen({ seq, messageId: id, userId, content, timestamp: new Date(time).toISOString() } as Message);
      const before = events[at - 1]?.at;
      require(before === undefined || before < time, `${seq} is not later than the one before`);
      if (clientMessageId === null) {
        require(content.startsWith("filling"), `history lacks the client id of ${seq}`);
        continue;
      }
      const name = nameOf(userId, clientMessageId);
      require(!names.has(name), `history has ${name} at ${names.get(name)} and ${seq}`);
      names.set(name, seq);
      const sent = this.acked.get(name)?.content === content || this.unanswered.get(name)?.has(content) === true;
      require(sent, `nobody sent "${content}" as ${name}`);
    }
    for (const [name, { seq, messageId, content }] of this.acked) {
      const event = events[seq - 1];
      require(event?.id === messageId && event.content === content, `${name}, acked at ${seq}, is not in history`);
    }
    require(events.length >= this.head, `history ends at ${events.length}, and ${this.head} was seen`);
  }
}

/** What one socket was told, in order: a contiguous piece of the room's order. */
export class View {
  last: number | undefined;
  epoch: string | undefined;
  readonly #truth: Truth;
  readonly #since: { epoch: string; seq: number } | undefined;

  constructor(truth: Truth, since: { epoch: string; seq: number } | undefined) {
    this.#truth = truth;
    this.#since = since;
  }

  take(frame: ServerFrame): void {
    if (frame.type === "message") this.#next(frame);
    if (frame.type === "heads")
      for (const seq of Object.values(frame.rooms)) require(seq === this.last, `heads say ${seq} after ${this.last}`);
    if (frame.type !== "room_joined") return;
    const { messages, recovered, seq, epoch } = frame;
    const first = messages[0]?.seq ?? seq + 1;
    if (recovered) require(this.#since?.seq === first - 1, `resumed at ${first} after ${this.#since?.seq}`);
    this.epoch = epoch;
    this.last = first - 1;
    for (const message of messages) this.#next(message);
    require(this.last === seq, `joined at ${seq} and was given ${this.last}`);
  }

  #next(message: Message): void {
    require(message.seq === (this.last ?? 0) + 1, `${message.seq} came after ${this.last}`);
    this.last = message.seq;
    this.#truth.seen(message);
  }
}

export function nameOf(user: string, clientMessageId: string): string {
  return `${user}|${clientMessageId}`;
}

function require(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
