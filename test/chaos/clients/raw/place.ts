import type { Message, ServerFrameOf } from "../../../../protocol/frames.ts";
import { contentDigest } from "../../history/recorder.ts";
import type { Line } from "./line.ts";
import { ClientOutbox, type WaitingMessage } from "./outbox.ts";
import { readPage } from "./read-page.ts";
import { RoomFeed } from "./room-feed.ts";
import type { Self } from "./self.ts";

/** How long an answer is waited for before a message is sent again on the same socket. */
const PATIENCE_MS = 6_000;
/** Messages of one room on their way at a time, so that what is sent again does not come as a flood. */
const IN_FLIGHT_MAX = 64;
const REPORT_EVERY = 32;
const FILL_PAUSE_MS = 500;
const PAGE = 200;

/** What a client has of one room, and has to say in it. */
export class Place {
  readonly room: string;
  readonly line: Line;
  readonly feed: RoomFeed = new RoomFeed();
  readonly outbox: ClientOutbox = new ClientOutbox();
  readonly #self: Self;
  #isFilling = false;
  /** How many messages have come since the room was told of any. */
  #unreported = 0;

  constructor(room: string, line: Line, self: Self) {
    this.room = room;
    this.line = line;
    this.#self = self;
  }

  get isIn(): boolean {
    return this.line.isIn(this.room);
  }

  send(id: string, content: string): void {
    const message = this.outbox.add(id, content);
    if (this.isIn && this.outbox.size <= IN_FLIGHT_MAX) this.#attempt(message);
  }

  sendRaw(frame: Record<string, unknown>): void {
    const { clientMessageId: id, content } = frame;
    if (!this.isIn) return;
    if (typeof id === "string" && typeof content === "string") this.#noteSend(id, content);
    this.line.say({ ...frame, roomId: this.room });
  }

  /** It has joined: what waits goes out, and what is missing is read. */
  joined({ epoch, seq, messages }: ServerFrameOf<"room_joined">): void {
    this.feed.joined(epoch, seq, messages);
    this.#unreported = 0;
    this.#report();
    this.sendDue();
    if (this.feed.hasGap) void this.#fill();
  }

  take({ seq }: Message): void {
    this.feed.take(seq);
    this.#unreported += 1;
    if (this.#unreported >= REPORT_EVERY) this.#report();
  }

  /** Sends what was not sent on this socket yet, or has waited there for too long. */
  sendDue(): void {
    if (!this.isIn) return;
    const due = this.outbox.due(this.line.socket, this.#self.recorder.now(), PATIENCE_MS);
    const underWay = this.outbox.size - due.length;
    for (const message of due.slice(0, Math.max(0, IN_FLIGHT_MAX - underWay))) this.#attempt(message);
  }

  /** What is to be done now and then. */
  look(): void {
    this.sendDue();
    if (this.#unreported > 0) this.#report();
    if (this.feed.hasGap) void this.#fill();
  }

  #attempt(message: WaitingMessage): void {
    message.sentAt = this.#self.recorder.now();
    message.socket = this.line.socket;
    this.#noteSend(message.id, message.content);
    this.line.say({
      type: "message",
      roomId: this.room,
      content: message.content,
      clientMessageId: message.id,
    });
  }

  #noteSend(id: string, content: string): void {
    const { recorder, options } = this.#self;
    const place = { client: options.name, socket: this.line.socket, room: this.room };
    recorder.write({ kind: "send", ...place, id, content: contentDigest(content) });
  }

  /** Says how far it has received. Who is deaf does so after joining only. */
  #report(): void {
    const { recorder, options } = this.#self;
    const isDeaf = options.role === "deaf";
    if (isDeaf && this.#unreported > 0) return;
    this.#unreported = 0;
    const seq = this.feed.latest;
    const isSaid = this.line.say({ type: "received", roomId: this.room, seq });
    if (isSaid && isDeaf)
      recorder.write({ kind: "received", client: options.name, socket: this.line.socket, room: this.room, seq });
  }

  /** Asks the room first, which may know, and then history. */
  async #fill(): Promise<void> {
    if (this.#isFilling || this.#self.options.role === "deaf") return;
    this.#isFilling = true;
    try {
      const isAsked = this.isIn && this.#self.random() < 0.5 && this.line.join(this.room, this.feed.since);
      for (let more = !isAsked; more && this.feed.hasGap && !this.line.isOver;) more = await this.#readOn();
      await new Promise((resolve) => setTimeout(resolve, FILL_PAUSE_MS));
    } finally {
      this.#isFilling = false;
    }
  }

  /** @returns whether there was something on the next page. */
  async #readOn(): Promise<boolean> {
    const page = await readPage(this.#self, this.room, { after: this.feed.head, limit: PAGE }, true);
    for (const seq of page ?? []) this.feed.take(seq);
    return page !== undefined && page.length > 0;
  }
}
