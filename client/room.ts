import type { ErrorCode } from "../protocol/errors.ts";
import type { Message, ServerFrame, ServerFrameOf } from "../protocol/frames.ts";
import type { Api } from "./api.ts";
import { ChatError } from "./chat-error.ts";
import { Emitter } from "./emitter.ts";
import type { LaterFrame } from "./frames.ts";
import { Outbox } from "./outbox.ts";
import { People } from "./people.ts";
import { jitter, newMessageId } from "./platform.ts";
import { type PlacedMessage, Timeline } from "./timeline.ts";
import type {
  ChatLimits,
  ChatMessage,
  ChatPlatform,
  ClientEvents,
  Kept,
  KeptRoom,
  Person,
  RoomEvents,
  RoomState,
  Sent,
  Subscription,
} from "./types.ts";

/** What a room asks of its client. */
export interface RoomHost {
  platform: ChatPlatform;
  api: Api;
  limits: ChatLimits;
  catchUpMax: number;
  userId: string | undefined;
  kept: Kept | undefined;
  send(frame: Record<string, unknown>): boolean;
  events: Emitter<ClientEvents>;
  /** Takes one `join` back. */
  leaveRoom(roomId: string): void;
  /** Something is to be sent, or has been: the room may have to be joined for it, or may be left. */
  settle(room: ChatRoom): void;
}

const PAGE = 200;
const SHOWN = 50;
const RECEIPT_EVERY = 32;
const TYPING_REPEAT_MS = 3_000;
const TYPING_IDLE_MS = 5_000;
const JOIN_MS = 10_000;
const REFUSALS: ReadonlySet<string> = new Set(["forbidden", "banned", "room_not_found", "bad_room_id", "reserved_id"]);

/**
 * A room as an app sees it. Made by `client.join`; everything here may be called at any time, connected or not.
 *
 * @example
 * const room = client.join("lobby");
 * room.on("change", ({ messages }) => render(messages));
 * await room.send("Hello!");
 */
export class ChatRoom {
  readonly id: string;
  readonly #host: RoomHost;
  readonly #events = new Emitter<RoomEvents>();
  readonly #timeline = new Timeline();
  readonly #people = new People();
  readonly #outbox: Outbox;
  #status: RoomState["status"] = "left";
  #error: ChatError | undefined;
  #readMarks: Readonly<Record<string, number>> = {};
  #readSeq: number | undefined;
  #readTold = 0;
  #latest = 0;
  #receiptAt = 0;
  #askAt = 0;
  #askFailures = 0;
  #stuckAt = -1;
  #isPaging = false;
  #older: Promise<boolean> | undefined;
  #typedAt = 0;
  #typingToldAt = -Infinity;
  #isTyping = false;
  #isUnkept = false;
  #state: RoomState | undefined;
  #messages: { of: readonly unknown[]; all: readonly ChatMessage[] } | undefined;
  #isTelling = false;

  /** @internal Use `client.join`. */
  constructor(id: string, host: RoomHost) {
    this.id = id;
    this.#host = host;
    this.#outbox = new Outbox({
      platform: host.platform,
      transmit: ({ content, clientMessageId }) =>
        this.#status === "joined" && this.#say({ type: "message", content, clientMessageId }),
      changed: () => {
        this.#touch();
        host.settle(this);
      },
      keep: (message) => host.kept?.keep(message),
      drop: (clientMessageId) => host.kept?.drop(clientMessageId),
    });
  }

  /** Everything a view needs. The same object until something changes. */
  get state(): RoomState {
    this.#state ??= this.#build();
    return this.#state;
  }

  get messages(): readonly ChatMessage[] {
    return this.state.messages;
  }

  get members(): readonly Person[] {
    return this.#people.members;
  }

  /** Registers for an event; `remove()` of what it returns takes that back. */
  on<Name extends keyof RoomEvents>(event: Name, listener: (event: RoomEvents[Name]) => void): Subscription {
    return this.#events.on(event, listener);
  }

  /**
   * Sends a message, now or when there is a connection again: it stands in `state.messages` at once, and messages reach
   * the room in the order in which they were sent.
   *
   * @returns resolves when the message is stored, with its place in the room's order. What is passing (too many messages,
   *   a store out of reach) is waited for and told as `error`.
   * @throws {ChatError} rejects with the server's code when the message is certainly not stored and will not be by itself.
   *   It stays in `state.messages` as `failed`, for `retry` or `discard`. An empty one is refused at once and kept nowhere.
   */
  send(content: string): Promise<Sent> {
    const text = content.trim();
    if (text === "") return Promise.reject(new ChatError("bad_content"));
    const clientMessageId = newMessageId(this.#host.platform.random);
    const userId = this.#host.userId ?? "";
    this.#isTyping = false; // a message ends it at the server too
    return this.#outbox.add(
      {
        key: clientMessageId,
        state: "sending",
        roomId: this.id,
        userId,
        username: this.#people.members.find((person) => person.userId === userId)?.username ?? userId,
        content: text,
        timestamp: new Date().toISOString(),
        clientMessageId,
      },
      isTooLong(text, this.#host.limits) ? new ChatError("content_too_long") : undefined,
    );
  }

  /** Sends a `failed` message again, under the same id, after all that are waiting. Resolves and rejects as `send` does. */
  retry(clientMessageId: string): Promise<Sent> {
    return this.#outbox.retry(clientMessageId);
  }

  /** Forgets a message that failed or waits. One that is on its way may have been stored, and then comes like any other. */
  discard(clientMessageId: string): void {
    this.#outbox.discard(clientMessageId);
  }

  /** Says that the user types: call it at every key. Told at most every 3 s, and taken back after 5 s without a call. */
  typing(isTyping = true): void {
    const now = this.#now();
    this.#typedAt = now;
    if (isTyping ? this.#isTyping && now - this.#typingToldAt < TYPING_REPEAT_MS : !this.#isTyping) return;
    this.#isTyping = isTyping && this.#say({ type: "typing", isTyping });
    if (!isTyping) this.#say({ type: "typing", isTyping });
    this.#typingToldAt = now;
  }

  /** The user has read up to `seq`; everything there is, by default. A mark never goes back. */
  markRead(seq: number = this.#timeline.position): void {
    const mark = Math.min(seq, this.#timeline.head);
    if (mark <= (this.#readSeq ?? 0)) return;
    this.#marked(this.#host.userId ?? "", mark);
  }

  /**
   * Loads older messages into `state.messages`.
   *
   * @param limit How many, 1 to 200.
   * @returns whether there are more
   * @throws {ChatError} `room_not_found` for who is no member, `unreachable`, `storage_unavailable` and the like: try again
   */
  history(limit: number = SHOWN): Promise<boolean> {
    this.#older ??= this.#loadOlder(limit).finally(() => (this.#older = undefined));
    return this.#older;
  }

  /** Takes one `join` back. After the last one the room is left, once what is still to be sent has been. */
  leave(): void {
    this.#host.leaveRoom(this.id);
  }

  // What the client says to its rooms.

  /** @internal */
  get hasUnsent(): boolean {
    return this.#outbox.hasUnsent;
  }

  /** @internal */
  get since(): { epoch: string; seq: number } | undefined {
    const { epoch, position } = this.#timeline;
    return epoch ? { epoch, seq: position } : undefined;
  }

  /** @internal Shows what an earlier visit left. */
  restore(kept: KeptRoom | undefined, waiting: readonly ChatMessage[]): void {
    const [first, ...more] = (kept?.messages ?? []) as PlacedMessage[]; // only such are kept
    if (kept && first && !this.#timeline.epoch) {
      this.#timeline.begin(kept.epoch, first.seq, [first, ...more]);
      this.#readSeq ??= kept.readSeq;
    }
    // What was written before it was known by whom is not kept yet.
    for (const message of this.#outbox.items) if (message.state !== "sent") this.#host.kept?.keep(message);
    this.#outbox.restore(waiting);
    this.#touch();
  }

  /** @internal @param isAsked The socket's address asks for it already. */
  join(isAsked = false): void {
    this.#become("joining");
    this.#askAt = this.#now() + JOIN_MS;
    if (!isAsked) this.#ask();
  }

  /** @internal The socket is gone. */
  lost(): void {
    this.#outbox.lost();
    this.#people.lost();
    this.#isTyping = false;
    if (this.#status === "joined") this.#become("joining");
    this.#touch();
  }

  /** @internal */
  left(): void {
    this.#flush();
    this.#say({ type: "leave_room" });
    this.lost();
    this.#become("left");
  }

  /** @internal Forgets everything, because it was another user's or the app wants it so. */
  clear(): void {
    for (const { clientMessageId } of this.#outbox.items) this.#outbox.discard(clientMessageId ?? "");
    this.#outbox.forgetSent();
    this.#timeline.begin(undefined, 1);
    this.#people.reset([], 0);
    this.#readMarks = {};
    this.#readSeq = undefined;
    this.#isUnkept = false;
    this.#touch();
  }

  /** @internal Writes down what a next visit begins with. */
  save(): void {
    const { epoch, messages } = this.#timeline;
    if (!this.#isUnkept || !epoch) return;
    this.#isUnkept = false;
    this.#host.kept?.keepRoom(this.id, { epoch, readSeq: this.#readSeq ?? 0, messages: messages.slice(-SHOWN) });
  }

  /** @internal Once a second while there is a connection. */
  tick(): void {
    const now = this.#now();
    this.save();
    if (this.#people.expire(now)) this.#typingChanged();
    if (this.#isTyping && now - this.#typedAt > TYPING_IDLE_MS) this.typing(false);
    if (this.#status === "joining" && now >= this.#askAt) this.join();
    if (this.#status !== "joined") return;
    this.#flush();
    this.#outbox.tick();
    this.#lookForGap(now);
  }

  /** @internal The newest place in the room's order, as the server says now and then. */
  headIs(seq: number): void {
    if (this.#timeline.epoch) this.#timeline.know(seq);
  }

  /** @internal */
  hear(frame: ServerFrame | LaterFrame): void {
    switch (frame.type) {
      case "room_joined":
        return this.#joined(frame);
      case "message":
      case "later":
        this.#latest = Math.max(this.#latest, frame.seq);
        this.#place(this.#timeline.take(frame.seq, frame.type === "later" ? undefined : this.#toMessage(frame)));
        if (this.#latest - this.#receiptAt >= RECEIPT_EVERY) this.#flush();
        return;
      case "ack":
        return this.#acked(frame);
      case "presence":
        return this.#presence([frame]);
      case "presence_changes":
        return this.#presence(frame.changes, frame.memberCount);
      case "presence_count":
        this.#people.reset(frame.sample, frame.memberCount);
        this.#events.emit("presence", this.#people.members);
        return this.#touch();
      case "typing_indicator":
        if (frame.userId !== this.#host.userId && this.#people.type(frame, frame.isTyping, this.#now()))
          this.#typingChanged();
        return;
      case "read":
        return this.#marked(frame.userId, frame.seq);
      case "error":
        return this.#refused(frame);
      default: // nothing of a room's
    }
  }

  // Joining, and what was missed.

  #ask(): void {
    const { since } = this;
    this.#say({ type: "join_room", ...(since && { since }) });
  }

  #joined({ epoch, seq, messages, members, memberCount, recovered }: ServerFrameOf<"room_joined">): void {
    const timeline = this.#timeline;
    const came = messages.map((message) => this.#toMessage(message));
    const first = came[0]?.seq ?? seq + 1;
    const isFirst = !timeline.epoch;
    this.#people.reset(members, memberCount);
    this.#error = undefined;
    this.#become("joined");
    this.#askAt = this.#askFailures = 0;
    this.#latest = this.#receiptAt = seq; // what a join brings counts as received
    if (isFirst) {
      timeline.begin(epoch, first);
      this.#place(timeline.add(came, seq), false);
    } else if (timeline.epoch !== epoch) this.#beginAgain(epoch, came, seq);
    else if (recovered || first <= timeline.position + 1) this.#place(timeline.add(came, seq));
    else {
      timeline.know(seq);
      this.#place(timeline.add(came));
      void this.#catchUp(first - 1);
    }
    if (isFirst || this.state.unread > 0) void this.#findReadMark();
    this.#outbox.next();
  }

  /** The room has lost what it had not yet written to history, and goes on from there. */
  #beginAgain(epoch: string, came: readonly PlacedMessage[], seq: number): void {
    const timeline = this.#timeline;
    const known = new Set(timeline.messages.map(({ messageId }) => messageId));
    const { position } = timeline;
    const common = came.filter(({ messageId }) => known.has(messageId)).at(-1)?.seq;
    this.#outbox.forgetSent();
    if (common) timeline.rewind(epoch, common);
    else {
      timeline.begin(epoch, came[0]?.seq ?? seq + 1);
      this.#events.emit("gap", { after: position, before: timeline.first });
    }
    this.#place(timeline.add(came, seq));
  }

  #lookForGap(now: number): void {
    const { isMissing, position } = this.#timeline;
    if (!isMissing) this.#askFailures = 0;
    // What is merely on its way is there a second later.
    const isStuck = isMissing && this.#stuckAt === position;
    this.#stuckAt = isMissing ? position : -1;
    if (!isStuck || this.#isPaging || now < this.#askAt) return;
    this.#askLater();
    this.#ask();
  }

  #askLater(): void {
    this.#askAt = this.#now() + 2_000 + jitter(this.#host.platform.random, this.#askFailures++);
  }

  /** Pages history up to `target`, from where everything is known. */
  async #catchUp(target: number): Promise<void> {
    const { api, catchUpMax } = this.#host;
    const timeline = this.#timeline;
    if (target - timeline.position > catchUpMax) return this.#passOver();
    if (this.#isPaging) return;
    this.#isPaging = true;
    const { life } = timeline;
    try {
      while (timeline.position < target) {
        const { position } = timeline;
        const { messages, next } = await api.history(this.id, `after=${position}&limit=${PAGE}`);
        if (timeline.life !== life) return;
        const came = messages.map((message) => this.#toMessage(message));
        this.#place(timeline.add(came, next ?? target));
        if (timeline.position === position) throw new ChatError("internal");
      }
    } catch (error) {
      // Who may be in a room and cannot read its history must go on without it; everything else is tried again.
      if (isHopeless(error)) this.#passOver();
      else this.#askLater();
    } finally {
      this.#isPaging = false;
    }
  }

  #passOver(): void {
    const after = this.#timeline.position;
    const placed = this.#timeline.skip();
    this.#events.emit("gap", { after, before: this.#timeline.first });
    this.#place(placed);
  }

  async #loadOlder(limit: number): Promise<boolean> {
    const timeline = this.#timeline;
    const { first, life, epoch } = timeline;
    if (!epoch || first <= 1) return !epoch;
    const { messages, prev } = await this.#host.api.history(this.id, `before=${first}&limit=${limit}`);
    if (timeline.life !== life) return timeline.first > 1;
    timeline.prepend(
      messages.map((message) => this.#toMessage(message)),
      prev ?? 1,
    );
    this.#touch();
    return timeline.first > 1;
  }

  /** Another device may have read on. */
  async #findReadMark(): Promise<void> {
    const { position } = this.#timeline;
    const { readSeq } = await this.#host.api.channel(this.id).catch(() => ({ readSeq: undefined }));
    // Who cannot be asked leaves the mark at what was there at first, so that only what comes is new.
    const mark = readSeq ?? this.#readSeq ?? position;
    this.#readTold = Math.max(this.#readTold, readSeq ?? 0);
    if (mark >= (this.#readSeq ?? 0)) this.#readSeq = mark;
    this.#touch();
  }

  #place(messages: readonly PlacedMessage[], isNews = true): void {
    this.#stuckAt = -1;
    this.#touch();
    this.#isUnkept = true;
    for (const message of messages) {
      const { clientMessageId, userId } = message;
      const { epoch = "" } = this.#timeline;
      if (clientMessageId) this.#outbox.placed(clientMessageId, { ...message, epoch, duplicate: true });
      if (this.#people.stop(userId)) this.#typingChanged();
      if (!isNews) continue;
      this.#events.emit("message", message);
      this.#host.events.emit("message", message);
    }
  }

  #acked(ack: ServerFrameOf<"ack">): void {
    const { clientMessageId = "", seq } = ack;
    this.#timeline.know(seq);
    this.#outbox.acked(clientMessageId, ack);
    // An earlier attempt had been stored, and is in its place or in older history.
    if (seq <= this.#timeline.position) this.#outbox.placed(clientMessageId, ack);
  }

  #toMessage(wire: Message): PlacedMessage {
    const { messageId, clientMessageId } = wire;
    const moderation = clientMessageId && this.#outbox.find(clientMessageId)?.moderation;
    return { ...wire, key: clientMessageId || messageId, state: "sent", moderation: moderation || undefined };
  }

  // What the server says of people and of what it will not do.

  #presence(changes: readonly Person[], count?: number): void {
    const { typing } = this.#people;
    this.#people.change(changes, count);
    this.#events.emit("presence", changes);
    if (typing !== this.#people.typing) this.#typingChanged();
    this.#touch();
  }

  #typingChanged(): void {
    this.#events.emit("typing", this.#people.typing);
    this.#touch();
  }

  #marked(userId: string, seq: number): void {
    if (seq <= (this.#readMarks[userId] ?? 0)) return;
    this.#readMarks = { ...this.#readMarks, [userId]: seq };
    if (userId === (this.#host.userId ?? "")) this.#readSeq = Math.max(this.#readSeq ?? 0, seq);
    this.#isUnkept = true;
    this.#events.emit("read", { userId, seq });
    this.#touch();
  }

  #refused(frame: ServerFrameOf<"error">): void {
    const { code, message, clientMessageId, retryAfterMs } = frame;
    const error = new ChatError(code satisfies ErrorCode, message, retryAfterMs);
    if (clientMessageId) this.#outbox.refused(clientMessageId, error);
    else if (REFUSALS.has(code)) {
      this.#error = error;
      this.#become("refused");
      this.#outbox.refuseAll(error);
    } else if (retryAfterMs !== undefined || code === "internal") {
      // The way to the room may have broken: joining again does no harm to who is in it.
      this.#askAt = this.#now() + (retryAfterMs ?? 0) + jitter(this.#host.platform.random, this.#askFailures++);
      this.#become("joining");
    }
    this.#events.emit("error", frame);
    this.#host.events.emit("error", frame);
  }

  // What the server is told.

  /** Says what has arrived and what was read, if that is news. */
  #flush(): void {
    if (this.#latest > this.#receiptAt && this.#say({ type: "received", seq: this.#latest }))
      this.#receiptAt = this.#latest;
    const { position } = this.#timeline;
    const mark = this.#readSeq ?? 0;
    if (mark > this.#readTold && mark <= position && this.#say({ type: "read", seq: mark })) this.#readTold = mark;
  }

  #say(frame: Record<string, unknown>): boolean {
    return this.#host.send({ ...frame, roomId: this.id });
  }

  // What the app is told.

  #become(status: RoomState["status"]): void {
    this.#status = status;
    this.#touch();
  }

  /** Something changed: the app is told once, after all that came together. */
  #touch(): void {
    this.#state = undefined;
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      this.#events.emit("change", this.state);
    });
  }

  #build(): RoomState {
    const { epoch, first, head, position } = this.#timeline;
    return {
      status: this.#status,
      error: this.#error,
      messages: this.#allMessages(),
      hasMore: first > 1,
      members: this.#people.members,
      memberCount: this.#people.count,
      typing: this.#people.typing,
      unread: epoch ? this.#countUnread(this.#readSeq ?? position) : 0,
      readMarks: this.#readMarks,
      head,
      epoch,
    };
  }

  #allMessages(): readonly ChatMessage[] {
    const { messages } = this.#timeline;
    const { items } = this.#outbox;
    if (this.#messages?.of[0] === messages && this.#messages.of[1] === items) return this.#messages.all;
    const of = (isSent: boolean) => items.filter(({ state }) => (state === "sent") === isSent);
    this.#messages = { of: [messages, items], all: items.length ? [...messages, ...of(true), ...of(false)] : messages };
    return this.#messages.all;
  }

  /** Others' messages after the mark; of places whose messages are not here it is not known whose they are. */
  #countUnread(readSeq: number): number {
    const { messages, first } = this.#timeline;
    let count = Math.max(0, first - 1 - readSeq);
    for (let at = messages.length - 1; at >= 0; at--) {
      const { seq, userId } = messages[at] as PlacedMessage; // within its bounds
      if (seq <= readSeq) break;
      if (userId !== this.#host.userId) count++;
    }
    return count;
  }

  #now(): number {
    return this.#host.platform.monotonicNow();
  }
}

function isHopeless(error: unknown): boolean {
  return error instanceof ChatError && (error.code === "token_missing" || REFUSALS.has(error.code));
}

/** Longer than the server takes, or in a frame that would end the connection. */
function isTooLong(text: string, { messageMaxLength, messageMaxBytes, frameMaxBytes }: ChatLimits): boolean {
  return (
    [...text].length > messageMaxLength ||
    bytesOf(text) > messageMaxBytes ||
    bytesOf(JSON.stringify(text)) > frameMaxBytes - 512
  );
}

/** In UTF-8; counted by hand, because not every React Native has a TextEncoder. */
function bytesOf(text: string): number {
  let bytes = 0;
  for (const sign of text) bytes += sign[1] ? 4 : sign > "\u07ff" ? 3 : sign > "\x7f" ? 2 : 1;
  return bytes;
}
