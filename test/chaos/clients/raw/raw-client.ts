import { ERRORS } from "../../../../protocol/errors.ts";
import type { Message, ServerFrame, ServerFrameOf } from "../../../../protocol/frames.ts";
import type { ChaosClient, ChaosClientOptions, PageRange, RawDoors } from "../chaos-client.ts";
import { Line } from "./line.ts";
import { noteFrame } from "./note-frame.ts";
import { Place } from "./place.ts";
import { readPage } from "./read-page.ts";
import type { RawClientDeps, Self } from "./self.ts";
import { SignIn } from "./sign-in.ts";

const TICK_MS = 500;

/** A client that speaks the protocol itself, over sockets to the rooms or one to the gateway. */
export class RawClient implements ChaosClient, RawDoors {
  readonly options: ChaosClientOptions;
  readonly raw: RawDoors = this;
  stoppedWith: number | undefined;
  readonly #self: Self;
  readonly #places = new Map<string, Place>();
  readonly #lines: Line[];
  readonly #firstJoins: Set<string>;
  readonly #started = Promise.withResolvers<void>();
  #tick: NodeJS.Timeout | undefined;

  constructor(options: ChaosClientOptions, deps: RawClientDeps) {
    this.options = options;
    this.#self = { ...deps, options, signIn: new SignIn(options.user, deps) };
    const groups = deps.shared ? [options.rooms] : options.rooms.map((room) => [room]);
    this.#lines = groups.map((rooms) => this.#createLine(rooms));
    this.#firstJoins = new Set(options.rooms);
  }

  #createLine(rooms: readonly string[]): Line {
    const line = new Line(rooms, this.#self, {
      frame: (frame) => this.#hear(line, frame),
      dismissed: (code) => this.#giveUp(code),
      sinceOf: (room) => this.#place(room).feed.since,
    });
    for (const room of rooms) this.#places.set(room, new Place(room, line, this.#self));
    return line;
  }

  async start(): Promise<void> {
    const { name, user, role } = this.options;
    this.#self.recorder.write({ kind: "client", client: name, user, role });
    await this.#self.signIn.renew();
    for (const line of this.#lines) line.open();
    this.#tick = setInterval(() => {
      for (const place of this.#places.values()) place.look();
    }, TICK_MS);
    await this.#started.promise;
  }

  get waiting(): number {
    let sum = 0;
    for (const { outbox } of this.#places.values()) sum += outbox.size;
    return sum;
  }

  isIn(room: string): boolean {
    return this.#place(room).isIn;
  }

  headOf(room: string): number {
    return this.#place(room).feed.head;
  }

  epochOf(room: string): string | undefined {
    return this.#place(room).feed.epoch;
  }

  send(room: string, content: string, id: string = `${this.options.name}-${randomId(this.#self.random)}`): void {
    this.#place(room).send(id, content);
  }

  sendRaw(room: string, frame: Record<string, unknown>): void {
    this.#place(room).sendRaw(frame);
  }

  type(room: string, isTyping: boolean): void {
    const { line } = this.#place(room);
    if (!this.isIn(room)) return;
    this.#self.recorder.write({ kind: "typed", client: this.options.name, room, isTyping });
    line.say({ type: "typing", roomId: room, isTyping });
  }

  markRead(room: string): void {
    const { line, feed } = this.#place(room);
    if (this.isIn(room) && feed.head > 0) line.say({ type: "read", roomId: room, seq: feed.head });
  }

  pause(ms: number): void {
    for (const line of this.#lines) line.pause(ms);
  }

  reconnect(): void {
    for (const line of this.#lines) line.cut();
  }

  rejoinFrom(room: string, since: { epoch: string; seq: number }): void {
    if (this.isIn(room)) this.#place(room).line.join(room, since);
  }

  async readPage(room: string, range: PageRange): Promise<void> {
    await readPage(this.#self, room, range, false);
  }

  stop(): void {
    clearInterval(this.#tick);
    this.#self.signIn.stop();
    for (const line of this.#lines) line.stop();
  }

  #place(room: string): Place {
    const place = this.#places.get(room);
    if (place === undefined) throw new Error(`${this.options.name} has nothing to do with ${room}`);
    return place;
  }

  /** It was told to stop, so it does; the checker will ask why. */
  #giveUp(code: number): void {
    this.stoppedWith = code;
    this.stop();
  }

  // What the other side says.

  #hear(line: Line, frame: ServerFrame): void {
    noteFrame(this.#self.recorder, { client: this.options.name, socket: line.socket }, frame);
    switch (frame.type) {
      case "welcome":
        return line.joinOthers();
      case "room_joined":
        return this.#joined(line, frame);
      case "room_left":
        return line.left(frame.roomId);
      case "message":
        return this.#message(line, frame);
      case "ack":
        return this.#acked(line, frame);
      case "error":
        return this.#refused(line, frame);
      case "heads":
        for (const [room, seq] of Object.entries(frame.rooms)) this.#places.get(room)?.feed.told(seq);
        return;
      default:
        return;
    }
  }

  #joined(line: Line, frame: ServerFrameOf<"room_joined">): void {
    const { roomId: room, epoch, seq, recovered, messages, members } = frame;
    const place = this.#place(room);
    const since = line.joined(room);
    const { recorder } = this.#self;
    recorder.write({
      kind: "joined",
      client: this.options.name,
      socket: line.socket,
      room,
      epoch,
      seq,
      ...(since !== undefined && { since }),
      recovered,
      messages: messages.map((message) => recorder.number(room, message)),
      online: members.flatMap(({ userId, status }) => (status === "online" ? [userId] : [])),
    });
    place.joined(frame);
    if (this.#firstJoins.delete(room) && this.#firstJoins.size === 0) this.#started.resolve();
  }

  #message(line: Line, frame: Message): void {
    const place = this.#place(frame.roomId);
    this.#self.recorder.saw(this.options.name, line.socket, frame.roomId, frame);
    place.take(frame);
  }

  #acked(line: Line, frame: ServerFrameOf<"ack">): void {
    const { roomId: room, clientMessageId: id, messageId, seq, epoch, duplicate } = frame;
    if (id === undefined) return;
    const place = this.#place(room);
    const { recorder } = this.#self;
    const sentAt = place.outbox.find(id)?.sentAt;
    recorder.write({
      kind: "ack",
      client: this.options.name,
      socket: line.socket,
      room,
      id,
      message: messageId,
      seq,
      epoch,
      duplicate,
      ...(sentAt !== undefined && { ms: Math.round((recorder.now() - sentAt) * 10) / 10 }),
    });
    place.outbox.settle(id);
    place.sendDue();
  }

  #refused(line: Line, { code, roomId, clientMessageId: id }: ServerFrameOf<"error">): void {
    const { recorder, options } = this.#self;
    const room = roomId ?? line.rooms[0] ?? "";
    const place = { client: options.name, socket: line.socket, room };
    if (id === undefined) {
      recorder.write({ kind: "error", ...place, code });
      if (code === "rate_limited") line.notJoined(room);
      if (code === "forbidden" || code === "room_not_found") line.shutOut(room);
      return;
    }
    recorder.write({ kind: "refusal", ...place, id, code });
    // What may be tried later stays, and is sent again when its patience ends.
    if (ERRORS[code].retry === "never") this.#places.get(room)?.outbox.settle(id);
  }
}

function randomId(random: () => number): string {
  return Array.from({ length: 3 }, () => Math.floor(random() * 0xffffffff).toString(36))
    .join("")
    .padEnd(8, "0");
}
