import type { ServerFrame, ServerFrameOf } from "../../../protocol/frames.ts";
import { ERRORS, isReconnectCode } from "../../../protocol/errors.ts";
import type { Message } from "../../../protocol/frames.ts";
import { contentDigest, type Recorder } from "../history/recorder.ts";
import type { ChaosClient, ChaosClientOptions, PageRange, RawDoors } from "./chaos-client.ts";
import type { ChaosHttp } from "./http.ts";
import { Link } from "./link.ts";
import { ClientOutbox, type WaitingMessage } from "./outbox.ts";
import { RoomFeed } from "./room-feed.ts";
import type { SecretWatch } from "./secrets.ts";

export interface RawClientDeps {
  recorder: Recorder;
  http: ChaosHttp;
  secrets: SecretWatch;
  /** From 0 up to 1; decides nothing but when and how something is tried again. */
  random: () => number;
  /** Numbers the sockets of the whole run. */
  nextSocket: () => number;
  /** Where a socket for these rooms is opened; with several rooms the others are joined on it. */
  address: (room: string) => string;
  /** One socket for all rooms, instead of one for each. */
  shared: boolean;
  lines: boolean;
}

/** The socket of one or of all rooms. */
interface Line {
  rooms: readonly string[];
  link: Link | undefined;
  socket: number;
  joined: Set<string>;
  attempt: number;
  retry: NodeJS.Timeout | undefined;
}

interface Place {
  feed: RoomFeed;
  outbox: ClientOutbox;
  line: Line;
  filling: boolean;
  unreported: number;
}

const TICK_MS = 500;
/** How long an answer is waited for before a message is sent again on the same socket. */
const PATIENCE_MS = 6_000;
const REPORT_EVERY = 32;
const BACKOFF_FIRST_MS = 250;
const BACKOFF_MAX_MS = 4_000;
/** Messages of one room on their way at a time, so that what is sent again does not come as a flood. */
const IN_FLIGHT_MAX = 64;
const PAGE = 200;

/** A client that speaks the protocol itself, over sockets to the rooms or one to the gateway. */
export class RawClient implements ChaosClient, RawDoors {
  readonly options: ChaosClientOptions;
  readonly raw: RawDoors = this;
  stoppedWith: number | undefined;
  readonly #deps: RawClientDeps;
  readonly #places = new Map<string, Place>();
  readonly #lines: Line[] = [];
  readonly #firstJoins = new Set<string>();
  #token = "";
  #wsToken = "";
  #isStopped = false;
  #renewing: Promise<void> | undefined;
  #started = Promise.withResolvers<void>();
  #tick: NodeJS.Timeout | undefined;

  constructor(options: ChaosClientOptions, deps: RawClientDeps) {
    this.options = options;
    this.#deps = deps;
    const groups = deps.shared ? [options.rooms] : options.rooms.map((room) => [room]);
    for (const rooms of groups) {
      const line: Line = { rooms, link: undefined, socket: 0, joined: new Set(), attempt: 0, retry: undefined };
      this.#lines.push(line);
      for (const room of rooms)
        this.#places.set(room, {
          feed: new RoomFeed(),
          outbox: new ClientOutbox(),
          line,
          filling: false,
          unreported: 0,
        });
    }
    for (const room of options.rooms) this.#firstJoins.add(room);
  }

  async start(): Promise<void> {
    const { name, user, role } = this.options;
    this.#deps.recorder.write({ kind: "client", client: name, user, role });
    await this.#renew();
    for (const line of this.#lines) this.#open(line);
    this.#tick = setInterval(() => this.#look(), TICK_MS);
    await this.#started.promise;
  }

  get waiting(): number {
    let sum = 0;
    for (const { outbox } of this.#places.values()) sum += outbox.size;
    return sum;
  }

  isIn(room: string): boolean {
    const { line } = this.#place(room);
    return line.link?.isOpen === true && line.joined.has(room);
  }

  headOf(room: string): number {
    return this.#place(room).feed.head;
  }

  epochOf(room: string): string | undefined {
    return this.#place(room).feed.epoch;
  }

  send(room: string, content: string, id: string = `${this.options.name}-${randomId(this.#deps.random)}`): void {
    const place = this.#place(room);
    const message = place.outbox.add(id, content);
    if (this.isIn(room) && place.outbox.size <= IN_FLIGHT_MAX) this.#attempt(room, place, message);
  }

  sendRaw(room: string, frame: Record<string, unknown>): void {
    const { line } = this.#place(room);
    const { clientMessageId: id, content } = frame;
    if (!this.isIn(room)) return;
    if (typeof id === "string" && typeof content === "string") this.#noteSend(room, line.socket, id, content);
    line.link?.say({ ...frame, roomId: room });
  }

  type(room: string, isTyping: boolean): void {
    const { line } = this.#place(room);
    if (!this.isIn(room)) return;
    this.#deps.recorder.write({ kind: "typed", client: this.options.name, room, isTyping });
    line.link?.say({ type: "typing", roomId: room, isTyping });
  }

  markRead(room: string): void {
    const { line, feed } = this.#place(room);
    if (this.isIn(room) && feed.head > 0) line.link?.say({ type: "read", roomId: room, seq: feed.head });
  }

  pause(ms: number): void {
    const { recorder } = this.#deps;
    const { name: client } = this.options;
    for (const { link, socket } of this.#lines)
      if (link?.pause(ms) === true) recorder.write({ kind: "paused", client, socket, until: recorder.now() + ms });
  }

  reconnect(): void {
    for (const { link } of this.#lines) link?.cut();
  }

  rejoinFrom(room: string, since: { epoch: string; seq: number }): void {
    if (this.isIn(room)) this.#join(this.#place(room).line, room, since);
  }

  async readPage(room: string, range: PageRange): Promise<void> {
    await this.#page(room, range, false);
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#tick);
    for (const line of this.#lines) {
      clearTimeout(line.retry);
      line.link?.close();
    }
  }

  #place(room: string): Place {
    const place = this.#places.get(room);
    if (place === undefined) throw new Error(`${this.options.name} has nothing to do with ${room}`);
    return place;
  }

  // Opening and coming back.

  async #renew(): Promise<void> {
    this.#renewing ??= this.#exchange().finally(() => (this.#renewing = undefined));
    await this.#renewing;
  }

  async #exchange(): Promise<void> {
    for (let attempt = 0; !this.#isStopped; attempt++) {
      const { body } = await this.#deps.http.exchange(this.options.user);
      if (body !== undefined) {
        this.#token = body.token;
        this.#wsToken = body.wsToken;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, this.#backoffMs(attempt)));
    }
  }

  #open(line: Line): void {
    if (this.#isStopped) return;
    const [room = ""] = line.rooms;
    const socket = this.#deps.nextSocket();
    const { name: client } = this.options;
    line.socket = socket;
    line.joined.clear();
    const since = this.#place(room).feed.since;
    const url = new URL(this.#deps.address(room));
    if (since !== undefined) url.searchParams.set("since", `${since.epoch}.${since.seq}`);
    this.#asked.set(`${socket} ${room}`, since);
    let isOpen = false;
    line.link = new Link(url.href, this.#wsToken, this.#deps.lines, {
      text: (text) => this.#deps.secrets.look(text, "a frame"),
      frame: (frame) => {
        if (!isOpen) this.#deps.recorder.write({ kind: "opened", client, socket });
        isOpen = true;
        this.#hear(line, frame);
      },
      refused: (status) => this.#deps.recorder.write({ kind: "request", route: "GET socket", status }),
      closed: (code) => {
        if (isOpen || code !== 1006)
          this.#deps.recorder.write({ kind: "closed", client, socket, code, wanted: this.#isStopped });
        this.#lost(line, code);
      },
    });
  }

  /** Where each socket said that it had stopped reading, until it has joined. */
  readonly #asked = new Map<string, { epoch: string; seq: number } | undefined>();

  /** One at a time, so that it is known what a `room_joined` answers. @returns false while another is under way. */
  #join(line: Line, room: string, since: { epoch: string; seq: number } | undefined): boolean {
    const key = `${line.socket} ${room}`;
    if (this.#asked.has(key)) return false;
    this.#asked.set(key, since);
    line.link?.say({ type: "join_room", roomId: room, ...(since !== undefined && { since }) });
    return true;
  }

  #lost(line: Line, code: number): void {
    line.joined.clear();
    if (this.#isStopped) return;
    if (!isReconnectCode(code) && this.options.role === "member") return this.#giveUp(code);
    line.retry = setTimeout(() => void this.#comeBack(line, code), this.#backoffMs(line.attempt++));
  }

  async #comeBack(line: Line, code: number): Promise<void> {
    if (code === 4001) await this.#renew();
    this.#open(line);
  }

  /** It was told to stop, so it does; the checker will ask why. */
  #giveUp(code: number): void {
    this.stoppedWith = code;
    this.stop();
  }

  /** Full jitter: anything from nothing to a bound that doubles. */
  #backoffMs(attempt: number): number {
    return this.#deps.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 10));
  }

  // What the other side says.

  #hear(line: Line, frame: ServerFrame): void {
    const { recorder } = this.#deps;
    const place = { client: this.options.name, socket: line.socket };
    switch (frame.type) {
      case "welcome":
        for (const room of line.rooms.slice(1)) this.#join(line, room, this.#place(room).feed.since);
        return;
      case "room_joined":
        return this.#joined(line, frame);
      case "room_left":
        line.joined.delete(frame.roomId);
        return recorder.write({ kind: "left", ...place, room: frame.roomId, wanted: true });
      case "message":
        return this.#message(line, frame);
      case "ack":
        return this.#acked(line, frame);
      case "error":
        return this.#refused(line, frame);
      case "presence": {
        const { roomId: room, userId, status } = frame;
        const [online, offline] = status === "online" ? [[userId], []] : [[], [userId]];
        return recorder.write({ kind: "presence", ...place, room, online, offline });
      }
      case "presence_changes": {
        const of = (wanted: string) =>
          frame.changes.flatMap(({ userId, status }) => (status === wanted ? [userId] : []));
        return recorder.write({
          kind: "presence",
          ...place,
          room: frame.roomId,
          online: of("online"),
          offline: of("offline"),
        });
      }
      case "typing_indicator":
        return recorder.write({
          kind: "typing",
          ...place,
          room: frame.roomId,
          user: frame.userId,
          isTyping: frame.isTyping,
        });
      case "heads":
        recorder.write({ kind: "heads", ...place, rooms: frame.rooms });
        for (const [room, seq] of Object.entries(frame.rooms)) this.#places.get(room)?.feed.told(seq);
        return;
      case "presence_count": {
        const online = frame.sample.map(({ userId }) => userId);
        const whole = frame.memberCount === online.length;
        return recorder.write({ kind: "presence", ...place, room: frame.roomId, online, offline: [], whole });
      }
      case "read":
      case "pong":
        return;
    }
  }

  #joined(line: Line, frame: ServerFrameOf<"room_joined">): void {
    const { roomId: room, epoch, seq, recovered, messages, members } = frame;
    const place = this.#place(room);
    const asked = this.#asked.get(`${line.socket} ${room}`);
    this.#asked.delete(`${line.socket} ${room}`);
    const { recorder } = this.#deps;
    recorder.write({
      kind: "joined",
      client: this.options.name,
      socket: line.socket,
      room,
      epoch,
      seq,
      ...(asked !== undefined && { since: asked }),
      recovered,
      messages: messages.map((message) => recorder.number(room, message)),
      online: members.flatMap(({ userId, status }) => (status === "online" ? [userId] : [])),
    });
    line.joined.add(room);
    line.attempt = 0;
    place.feed.joined(epoch, seq, messages);
    place.unreported = 0;
    this.#report(room, place);
    this.#sendDue(room, place);
    if (place.feed.hasGap) void this.#fill(room, place);
    if (this.#firstJoins.delete(room) && this.#firstJoins.size === 0) this.#started.resolve();
  }

  #message(line: Line, frame: Message): void {
    const place = this.#place(frame.roomId);
    this.#deps.recorder.saw(this.options.name, line.socket, frame.roomId, frame);
    place.feed.take(frame.seq);
    place.unreported += 1;
    if (place.unreported >= REPORT_EVERY) this.#report(frame.roomId, place);
  }

  #acked(line: Line, frame: ServerFrameOf<"ack">): void {
    const { roomId: room, clientMessageId: id, messageId, seq, epoch, duplicate } = frame;
    if (id === undefined) return;
    const place = this.#place(room);
    const { recorder } = this.#deps;
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
    this.#sendDue(room, place);
  }

  #refused(line: Line, { code, roomId, clientMessageId: id }: ServerFrameOf<"error">): void {
    const place = { client: this.options.name, socket: line.socket };
    const room = roomId ?? line.rooms[0] ?? "";
    if (id === undefined) {
      this.#deps.recorder.write({ kind: "error", ...place, room, code });
      if (code === "rate_limited") this.#asked.delete(`${line.socket} ${room}`);
      if (code === "forbidden" || code === "room_not_found") this.#shutOut(line, room);
      return;
    }
    this.#deps.recorder.write({ kind: "refusal", ...place, room, id, code });
    const waiting = this.#places.get(room)?.outbox;
    // What may be tried later stays, and is sent again when its patience ends.
    if (ERRORS[code].retry === "never") waiting?.settle(id);
  }

  /** A shared socket is no longer in the room: it tries again, as the room may only have been out of reach. */
  #shutOut(line: Line, room: string): void {
    if (!line.joined.delete(room) || !this.#places.has(room)) return;
    this.#deps.recorder.write({ kind: "left", client: this.options.name, socket: line.socket, room, wanted: false });
    setTimeout(() => this.#join(line, room, this.#place(room).feed.since), TICK_MS);
  }

  // What goes out.

  #attempt(room: string, { line }: Place, message: WaitingMessage): void {
    message.sentAt = this.#deps.recorder.now();
    message.socket = line.socket;
    this.#noteSend(room, line.socket, message.id, message.content);
    line.link?.say({ type: "message", roomId: room, content: message.content, clientMessageId: message.id });
  }

  #noteSend(room: string, socket: number, id: string, content: string): void {
    this.#deps.recorder.write({
      kind: "send",
      client: this.options.name,
      socket,
      room,
      id,
      content: contentDigest(content),
    });
  }

  #sendDue(room: string, place: Place): void {
    if (!this.isIn(room)) return;
    const { outbox, line } = place;
    const due = outbox.due(line.socket, this.#deps.recorder.now(), PATIENCE_MS);
    const underWay = outbox.size - due.length;
    for (const message of due.slice(0, Math.max(0, IN_FLIGHT_MAX - underWay))) this.#attempt(room, place, message);
  }

  #report(room: string, place: Place): void {
    const { line, feed } = place;
    if (this.options.role === "deaf" && place.unreported > 0) return;
    place.unreported = 0;
    const isSaid = line.link?.say({ type: "received", roomId: room, seq: feed.latest }) === true;
    if (isSaid && this.options.role === "deaf")
      this.#deps.recorder.write({
        kind: "received",
        client: this.options.name,
        socket: line.socket,
        room,
        seq: feed.latest,
      });
  }

  #look(): void {
    for (const [room, place] of this.#places) {
      this.#sendDue(room, place);
      if (place.unreported > 0) this.#report(room, place);
      if (place.feed.hasGap) void this.#fill(room, place);
    }
  }

  // Gaps.

  /** Asks the room first, which may know, and then history. */
  async #fill(room: string, place: Place): Promise<void> {
    if (place.filling || this.options.role === "deaf") return;
    place.filling = true;
    try {
      const { feed, line } = place;
      const isAsked = this.isIn(room) && this.#deps.random() < 0.5 && this.#join(line, room, feed.since);
      if (!isAsked)
        for (let more = true; more && feed.hasGap && !this.#isStopped;)
          more = await this.#page(room, { after: feed.head, limit: PAGE }, true);
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    } finally {
      place.filling = false;
    }
  }

  /** @returns whether there was something in it. */
  async #page(room: string, { before, after, limit }: PageRange, fills: boolean): Promise<boolean> {
    const { recorder, http } = this.#deps;
    const askedAt = recorder.now();
    const range = { ...(before !== undefined && { before }), ...(after !== undefined && { after }), limit };
    const query = Object.entries(range).map(([name, value]) => `${name}=${value}`);
    const { status, body } = await http.readPage(this.#token, room, query.join("&"));
    if (status === 401) await this.#renew();
    if (body === undefined) return false;
    const messages = body.messages.map((message) => recorder.number(room, message));
    recorder.write({ kind: "page", client: this.options.name, room, askedAt, ...range, fills, messages });
    const { feed } = this.#place(room);
    if (fills) for (const { seq } of body.messages) feed.take(seq);
    return body.messages.length > 0;
  }
}

function randomId(random: () => number): string {
  return Array.from({ length: 3 }, () => Math.floor(random() * 0xffffffff).toString(36))
    .join("")
    .padEnd(8, "0");
}
