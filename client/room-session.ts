import type { Message, ServerFrame, ServerFrameOf } from "../protocol/frames.ts";
import { ChatError } from "./chat-error.ts";
import { HOPELESS } from "./codes.ts";
import { createEmitter } from "./emitter.ts";
import { type LaterFrame, readMessages } from "./frames.ts";
import { createOutbox } from "./outbox.ts";
import { createPaging } from "./paging.ts";
import { createPeople } from "./people.ts";
import { jitter } from "./platform.ts";
import { createReadMarks } from "./read-marks.ts";
import { ChatRoom } from "./room.ts";
import type { RoomHost, RoomInside } from "./room-inside.ts";
import { createShown } from "./shown.ts";
import { type PlacedMessage, Timeline } from "./timeline.ts";
import type { ChatMessage, KeptRoom, RoomEvents, RoomState } from "./types.ts";

/** A room as its client has it. */
export type RoomSession = ReturnType<typeof openRoom>;

const RECEIPT_EVERY = 32;
const JOIN_MS = 10_000;
const ASK_MS = 2_000;
/** How long the room may take to say how far the user has read, after it was joined. */
const MARK_MS = 250;

/**
 * What a client does for one room: joins it again and again, puts what comes in its place, and notices what is missing.
 *
 * @param leave The app has no more use for the room.
 * @param settle Something is to be sent, or has been: the room may have to be joined for it, or may be left.
 */
export function openRoom(id: string, host: RoomHost, leave: () => void, settle: () => void) {
  const { monotonicNow: now, random } = host.platform;
  const events = createEmitter<RoomEvents>();
  const timeline = new Timeline();
  let status: RoomState["status"] = "left";
  let error: ChatError | undefined;
  let state: RoomState | undefined;
  let isTelling = false;
  let received = 0;
  let receiptAt = 0;
  let askAt = 0;
  let askFailures = 0;
  let stuckAt = -1;

  const inside: RoomInside = { id, host, events, timeline, say, changed };
  const people = createPeople(inside);
  const marks = createReadMarks(inside);
  const outbox = createOutbox(
    host.platform,
    ({ content, clientMessageId }) => {
      // Whatever kept us out may have changed; if not, the message is refused with the room.
      if (status === "refused") join();
      return status === "joined" && say({ type: "message", content, clientMessageId });
    },
    () => {
      changed();
      settle();
    },
  );
  const paging = createPaging({
    ...inside,
    place,
    failed: () => askLater(ASK_MS),
    toMessages: (page) => readMessages(page)?.map(toMessage),
  });
  const shown = createShown(timeline, outbox);
  const room = new ChatRoom({
    ...inside,
    people,
    marks,
    outbox,
    older: paging.older,
    leave,
    state: () => (state ??= build()),
  });
  // Joining, and what was missed.

  function since(): { epoch: string; seq: number } | undefined {
    const { epoch, position } = timeline;
    return epoch ? { epoch, seq: position } : undefined;
  }

  function ask(): void {
    say({ type: "join_room", since: since() });
  }

  function askLater(ms: number): void {
    askAt = now() + ms + jitter(random, askFailures++);
  }

  /** @param isAsked The socket's address asks for it already. */
  function join(isAsked = false): void {
    become("joining");
    askAt = now() + JOIN_MS;
    if (!isAsked) ask();
  }

  function joined({ epoch, seq, messages, members, memberCount, recovered }: ServerFrameOf<"room_joined">): void {
    const came = messages.map(toMessage);
    const first = came[0]?.seq ?? seq + 1;
    const isFirst = !timeline.epoch;
    people.reset(members, memberCount);
    error = undefined;
    become("joined");
    askAt = 0;
    received = receiptAt = seq; // what a join brings counts as received
    if (timeline.epoch !== epoch) begin(epoch, came, first);
    const isGap = !recovered && first > timeline.position + 1;
    timeline.know(seq);
    place(timeline.add(came, isGap ? 0 : seq), !isFirst);
    if (isFirst) marks.begin();
    if (isGap) void paging.catchUp(first - 1);
    setTimeout(() => void marks.find(), MARK_MS);
    outbox.next();
  }

  /** The room is new here, or has lost what it had not yet written to history and goes on from there. */
  function begin(epoch: string, came: readonly PlacedMessage[], first: number): void {
    const after = timeline.position;
    const isKnown = (one: PlacedMessage) => timeline.messages.some(({ messageId }) => messageId === one.messageId);
    const common = came.filter(isKnown).at(-1)?.seq;
    outbox.forgetSent();
    if (common) return timeline.rewind(epoch, common);
    const isNew = !timeline.epoch;
    timeline.begin(epoch, first);
    if (!isNew) events.emit("gap", { after, before: first });
  }

  function lookForGap(): void {
    const { isMissing, position } = timeline;
    // What is merely on its way is there a second later.
    const isStuck = isMissing && stuckAt === position;
    stuckAt = isMissing ? position : -1;
    if (!isMissing) askFailures = 0;
    if (!isStuck || paging.isUnderWay() || now() < askAt) return;
    askLater(ASK_MS);
    ask();
  }

  // What the server says.

  function hear(frame: ServerFrame | LaterFrame): void {
    switch (frame.type) {
      case "room_joined":
        return joined(frame);
      case "message":
      case "later":
        received = Math.max(received, frame.seq);
        place(timeline.take(frame.seq, frame.type === "later" ? undefined : toMessage(frame)));
        return;
      case "ack":
        timeline.know(frame.seq);
        // What an earlier attempt had stored is in its place, or in older history.
        return outbox.stored(frame.clientMessageId, frame, frame.seq <= timeline.position);
      case "read":
        return marks.heard(frame.userId, frame.seq);
      case "error":
        return refused(frame);
      default:
        people.hear(frame);
    }
  }

  function place(messages: readonly PlacedMessage[], isNews = true): void {
    changed();
    for (const message of messages) {
      const { epoch = "" } = timeline;
      outbox.stored(message.clientMessageId, { ...message, epoch, duplicate: true }, true);
      people.stopped(message.userId);
      if (!isNews) continue;
      events.emit("message", message);
      host.events.emit("message", message);
    }
  }

  function toMessage(wire: Message): PlacedMessage {
    const { messageId, clientMessageId } = wire;
    const moderation = outbox.find(clientMessageId)?.moderation;
    return { ...wire, key: clientMessageId ?? messageId, state: "sent", moderation };
  }

  function refused(frame: ServerFrameOf<"error">): void {
    const { code, message, clientMessageId, retryAfterMs } = frame;
    const problem = new ChatError(code, message, retryAfterMs);
    if (clientMessageId) outbox.refused(clientMessageId, problem);
    else if (HOPELESS.test(code)) {
      error = problem;
      become("refused");
      outbox.refuseAll(problem);
    } else if (retryAfterMs !== undefined || code === "internal") {
      // The way to the room may have broken: joining again does no harm to who is in it.
      askLater(retryAfterMs ?? 0);
      become("joining");
    }
    events.emit("error", frame);
    host.events.emit("error", frame);
  }

  // What the server is told.

  /** Says what has arrived and what was read, if that is news. */
  function tell(): void {
    if (received > receiptAt && say({ type: "received", seq: received })) receiptAt = received;
    marks.tell();
  }

  function say(frame: Record<string, unknown>): boolean {
    return host.send({ ...frame, roomId: id });
  }

  // What the app is told.

  function become(next: RoomState["status"]): void {
    status = next;
    changed();
  }

  /** Something changed: the app is told once, after all that came together, and so is the server. */
  function changed(): void {
    state = undefined;
    if (isTelling) return;
    isTelling = true;
    queueMicrotask(() => {
      isTelling = false;
      if (status === "joined" && received - receiptAt >= RECEIPT_EVERY) tell();
      host.kept?.keep(session);
      events.emit("change", room.state);
    });
  }

  function build(): RoomState {
    const { epoch, first, head } = timeline;
    const messages = shown();
    return { status, error, messages, hasMore: first > 1, ...people.state(), ...marks.state(), head, epoch };
  }

  /** The socket is gone. */
  function lost(): void {
    outbox.lost();
    people.lost();
    if (status === "joined") become("joining");
  }

  const session = {
    room,
    hear,
    join,
    lost,
    since,
    get hasUnsent() {
      return outbox.hasUnsent;
    },
    get status() {
      return status;
    },

    left(): void {
      tell();
      say({ type: "leave_room" });
      lost();
      become("left");
    },

    /** The newest place in the room's order, as the server says now and then. */
    headIs(seq: number): void {
      if (timeline.epoch) timeline.know(seq);
    },

    /** Shows what an earlier visit left. */
    restore(waiting: readonly ChatMessage[], kept: KeptRoom | undefined): void {
      if (kept?.messages.length && !timeline.epoch) {
        const messages = kept.messages as PlacedMessage[]; // only such are kept
        timeline.begin(kept.epoch, messages[0]?.seq ?? 1, messages);
        marks.begin(kept.readSeq);
      }
      outbox.restore(waiting);
    },

    /** Forgets everything, because it was another user's or the app wants it so. */
    clear(): void {
      for (const { clientMessageId } of outbox.items) outbox.discard(clientMessageId);
      timeline.begin(undefined, 1);
      people.reset([], 0);
      marks.clear();
    },

    /** Once a second while there is a connection. */
    tick(): void {
      people.tick();
      if (status === "joining" && now() >= askAt) join();
      if (status !== "joined") return;
      tell();
      outbox.tick();
      lookForGap();
    },
  };
  return session;
}
