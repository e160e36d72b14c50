import type { Entry, EntryKind, EntryOf } from "../history/entries.ts";

/** How long a fault is felt once it is healed. */
const AFTERMATH_MS = 3_000;

/** A fault from its begin to its end. */
export interface FaultSpan {
  fault: number;
  name: string;
  from: number;
  to: number;
  room: string | undefined;
  mangles: boolean;
  delays: boolean;
  slowsAcks: boolean;
  hadEffect: boolean;
}

/** A message that a client tried to send, with every attempt and every answer. */
export interface Sent {
  client: string;
  user: string;
  room: string;
  id: string;
  content: string;
  attempts: { at: number; socket: number; answer: "ack" | "refused" | undefined }[];
  acks: EntryOf<"ack">[];
}

/** A history put in order for the invariants: nothing is judged here. */
export class Model {
  readonly entries: readonly Entry[];
  readonly messages = new Map<number, EntryOf<"message">>();
  readonly clients = new Map<string, EntryOf<"client">>();
  /** What HTTP told of each room at the end. */
  readonly histories = new Map<string, readonly EntryOf<"message">[]>();
  readonly faults: readonly FaultSpan[];
  readonly sent: readonly Sent[];
  readonly #kinds = new Map<EntryKind, Entry[]>();
  readonly #byContent = new Map<string, Sent[]>();
  readonly #byId = new Map<string, Sent[]>();
  readonly #sendings = new Map<number, Sent | undefined>();
  readonly #firstSendings = new Map<string, Sent>();

  constructor(entries: readonly Entry[]) {
    this.entries = entries;
    for (const entry of entries) {
      const same = this.#kinds.get(entry.kind);
      if (same === undefined) this.#kinds.set(entry.kind, [entry]);
      else same.push(entry);
    }
    for (const message of this.of("message")) this.messages.set(message.n, message);
    for (const client of this.of("client")) this.clients.set(client.client, client);
    for (const { room, source, messages } of this.of("history"))
      if (source === "http") this.histories.set(room, this.resolve(messages));
    this.faults = readFaults(this.of("fault"));
    this.sent = this.#readSent();
  }

  of<Kind extends EntryKind>(kind: Kind): readonly EntryOf<Kind>[] {
    return (this.#kinds.get(kind) ?? []) as EntryOf<Kind>[]; // sorted into the list by that very kind
  }

  /** When a phase began. */
  phase(phase: EntryOf<"phase">["phase"]): number | undefined {
    return this.of("phase").find((entry) => entry.phase === phase)?.at;
  }

  resolve(numbers: readonly number[]): EntryOf<"message">[] {
    return numbers.flatMap((n) => this.messages.get(n) ?? []);
  }

  userOf(client: string): string {
    return this.clients.get(client)?.user ?? "";
  }

  /** Who sent a content in a room: more than one only if two clients sent the same. */
  sendersOf(room: string, content: string): readonly Sent[] {
    return this.#byContent.get(`${room} ${content}`) ?? [];
  }

  /**
   * What a message was sent as; undefined when nobody of its author's sent it. Two messages that somebody sent under one id
   * give the same answer.
   */
  sendingOf(message: EntryOf<"message">): Sent | undefined {
    const { n } = message;
    // Asked for every message of every view, so it is looked for once.
    if (!this.#sendings.has(n)) this.#sendings.set(n, this.#findSending(message));
    return this.#sendings.get(n);
  }

  #findSending({ room, user, content }: EntryOf<"message">): Sent | undefined {
    const sent = this.sendersOf(room, content).find((one) => one.user === user);
    if (sent === undefined) return undefined;
    const key = `${user} ${room} ${sent.id}`;
    const first = this.#firstSendings.get(key) ?? sent;
    this.#firstSendings.set(key, first);
    return first;
  }

  /** Whether a fault of a kind was at work in the room at some time between the two. */
  wasDisturbed(is: "mangles" | "delays", room: string, from: number, to: number): boolean {
    return this.faults.some(
      (fault) => fault[is] && (fault.room ?? room) === room && fault.from <= to && fault.to >= from,
    );
  }

  /**
   * How late something may come to a socket that was on its way between the two: by as long as the socket was not read, and
   * by what the machine needed at worst, in the run's process once and in the rooms' twice (on hearing, and on telling).
   */
  heldUpMs(socket: number, from: number, to: number): number {
    const isWithin = (begin: number, end: number) => begin <= to && end >= from;
    const pauses = this.of("paused").filter((pause) => pause.socket === socket && isWithin(pause.at, pause.until));
    const unread = pauses.reduce((sum, { at, until }) => sum + until - at, 0);
    const worst = (what: EntryOf<"late">["what"]) =>
      Math.max(
        0,
        ...this.of("late").map((one) => (one.what === what && isWithin(one.at - one.ms, one.at) ? one.ms : 0)),
      );
    return unread + worst("run") + 2 * worst("rooms");
  }

  /** Whether no fault (of those that matter) was at work between the two, nor right before. */
  isCalm(from: number, to: number, matters: (fault: FaultSpan) => boolean = () => true): boolean {
    return !this.faults.some((fault) => fault.from <= to && fault.to + AFTERMATH_MS >= from && matters(fault));
  }

  #readSent(): Sent[] {
    const sent: Sent[] = [];
    const sockets = new Map<string, Sent["attempts"]>();
    for (const entry of this.entries) {
      if (entry.kind === "send") this.#noteSend(entry, sent, sockets);
      else if (entry.kind === "ack" || entry.kind === "refusal") this.#noteAnswer(entry, sockets);
    }
    return sent;
  }

  #noteSend(entry: EntryOf<"send">, sent: Sent[], sockets: Map<string, Sent["attempts"]>): void {
    const { client, room, id, content, at, socket } = entry;
    const key = `${client} ${room} ${id}`;
    const same = this.#byId.get(key) ?? [];
    this.#byId.set(key, same);
    let one = same.find((other) => other.content === content);
    if (one === undefined) {
      one = { client, user: this.userOf(client), room, id, content, attempts: [], acks: [] };
      same.push(one);
      sent.push(one);
      const alike = this.#byContent.get(`${room} ${content}`);
      if (alike === undefined) this.#byContent.set(`${room} ${content}`, [one]);
      else alike.push(one);
    }
    const attempt = { at, socket, answer: undefined };
    one.attempts.push(attempt);
    const onSocket = sockets.get(`${socket} ${room} ${id}`);
    if (onSocket === undefined) sockets.set(`${socket} ${room} ${id}`, [attempt]);
    else onSocket.push(attempt);
  }

  // An answer belongs to the oldest attempt on its socket that has none; a doubled one belongs to nothing. That the id was
  // used for something else is the answer to the newest: the ack of what it was used for may have been lost.
  #noteAnswer(entry: EntryOf<"ack"> | EntryOf<"refusal">, sockets: Map<string, Sent["attempts"]>): void {
    const { client, socket, room, id } = entry;
    const open = (sockets.get(`${socket} ${room} ${id}`) ?? []).filter(({ answer }) => answer === undefined);
    const known = this.#byId.get(`${client} ${room} ${id}`) ?? [];
    if (entry.kind === "ack" && known.some((one) => isRepeat(one, entry))) open.length = 0;
    const attempt = entry.kind === "refusal" && entry.code === "duplicate_conflict" ? open.at(-1) : open[0];
    if (attempt !== undefined) attempt.answer = entry.kind === "ack" ? "ack" : "refused";
    if (entry.kind === "ack") for (const one of known) noteAck(one, entry, attempt);
  }
}

// A room says once that a message is new: said again on the same socket, the frame was doubled on its way.
function isRepeat({ acks }: Sent, { socket, seq, duplicate }: EntryOf<"ack">): boolean {
  return !duplicate && acks.some((ack) => ack.socket === socket && ack.seq === seq && !ack.duplicate);
}

// With two contents under one id, the ack is the one's whose attempt it answers; a doubled one is whose first it repeats.
function noteAck(one: Sent, ack: EntryOf<"ack">, attempt: Sent["attempts"][number] | undefined): void {
  const isOwn =
    attempt === undefined ? one.acks.some(({ socket }) => socket === ack.socket) : one.attempts.includes(attempt);
  if (isOwn) one.acks.push(ack);
}

function readFaults(entries: readonly EntryOf<"fault">[]): FaultSpan[] {
  const open = new Map<number, FaultSpan>();
  for (const { fault, name, phase, at, room, mangles, delays, slowsAcks, hadEffect } of entries) {
    const span = open.get(fault);
    if (phase === "begin" || span === undefined)
      open.set(fault, {
        fault,
        name,
        from: at,
        to: phase === "begin" ? Infinity : at,
        room,
        mangles,
        delays,
        slowsAcks,
        hadEffect: hadEffect ?? false,
      });
    else {
      span.to = at;
      span.hadEffect ||= hadEffect ?? false;
    }
  }
  return [...open.values()];
}
