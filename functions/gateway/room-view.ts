import type { ServerFrame, Since } from "../../protocol/frames.ts";
import type { ChannelId, UserId } from "../../protocol/ids.ts";
import type { Now } from "../../domain/ports/clock.ts";
import { parseRoomFrame, type RoomFrame, toRoomFrame } from "./room-frame.ts";
import { RosterView } from "./roster-view.ts";

/** A `join_room` of the client's. */
export interface AskedJoin {
  since: Since | undefined;
  text: string;
}

/**
 * What the client has seen of one room, and so what it still has to see: each frame of the room's either goes on as it is,
 * or becomes what was missed, or nothing.
 */
export class RoomView {
  readonly #roomId: ChannelId;
  readonly #now: Now;
  readonly #roster: RosterView;
  /** Whom the client believes to be typing; a room tells it of twenty at most. */
  readonly #typing = new Map<UserId, string>();
  #position: Since | undefined;
  #head = 0;
  /** The client is owed a `room_joined`; otherwise joining again stays between the room and us. */
  #isJoinOwed = true;
  #asked: AskedJoin | undefined;

  constructor(roomId: ChannelId, since: Since | undefined, now: Now) {
    this.#roomId = roomId;
    this.#position = since;
    this.#now = now;
    this.#roster = new RosterView(roomId);
  }

  /** Where to join again from. */
  get position(): Since | undefined {
    return this.#position;
  }

  /** The newest position the room is known to have reached. */
  get head(): number {
    return Math.max(this.#head, this.#position?.seq ?? 0);
  }

  get isJoinOwed(): boolean {
    return this.#isJoinOwed;
  }

  /** The client asked to join: the next `room_joined` is the answer to that. */
  oweJoin(asked: AskedJoin): void {
    this.#isJoinOwed = true;
    this.#asked = asked;
  }

  /** What the room broke before it answered: to be asked again, as joining again from our own position is no answer to it. */
  takeUnanswered(): AskedJoin | undefined {
    const asked = this.#asked;
    if (asked !== undefined) this.#isJoinOwed = false;
    this.#asked = undefined;
    return asked;
  }

  /** Takes note of a frame of the room's. @returns what the client gets for it. */
  note(frame: RoomFrame): readonly RoomFrame[] {
    switch (frame.type) {
      case "welcome":
      case "pong":
        return [];
      case "message":
        return this.#advance(frame.seq) ? [frame] : [];
      case "heads":
      case "room_joined":
      case "typing_indicator":
      case "presence":
      case "presence_changes":
      case "presence_count":
        return this.#noteParsed(frame, parseRoomFrame(frame));
      default:
        return [frame];
    }
  }

  /** Who has not come back in time after the room broke. */
  takeMissing(): readonly RoomFrame[] {
    return this.#roster.takeMissing(this.#now()).map(toRoomFrame);
  }

  /** A room that breaks may forget who was typing, or stay away for longer than that lasts; who still is says so again. */
  takeTypingEnds(): readonly RoomFrame[] {
    const ends = [...this.#typing].map(([userId, username]) =>
      toRoomFrame({ type: "typing_indicator", roomId: this.#roomId, userId, username, isTyping: false }),
    );
    this.#typing.clear();
    return ends;
  }

  #noteParsed(frame: RoomFrame, parsed: ServerFrame | undefined): readonly RoomFrame[] {
    switch (parsed?.type) {
      case "heads":
        this.#head = parsed.rooms[this.#roomId] ?? this.#head;
        return [];
      case "room_joined":
        return this.#noteJoined(frame, parsed);
      case "typing_indicator":
        this.#noteTyping(parsed);
        return [frame];
      case "presence":
        return this.#roster.note(parsed) ? [frame] : [];
      case "presence_changes":
        return this.#roster.noteAll(parsed.changes) ? [frame] : [];
      case "presence_count":
        this.#roster.reset(parsed.memberCount, parsed.sample);
        return [frame];
      default:
        return [frame]; // of a shape we do not know: the client may
    }
  }

  #noteJoined(frame: RoomFrame, joined: Extract<ServerFrame, { type: "room_joined" }>): readonly RoomFrame[] {
    const before = this.#position;
    const isOwed = this.#isJoinOwed || !joined.recovered || before?.epoch !== joined.epoch;
    this.#isJoinOwed = false;
    this.#asked = undefined;
    this.#position = { epoch: joined.epoch, seq: joined.seq };
    this.#head = joined.seq;
    if (isOwed) {
      this.#roster.reset(joined.memberCount, joined.members);
      this.#typing.clear();
      return [frame];
    }
    const missed = joined.messages.filter(({ seq }) => seq > before.seq);
    return [
      ...missed.map((message) => toRoomFrame({ type: "message", ...message })),
      ...this.#roster.compare(joined, this.#now()).map(toRoomFrame),
    ];
  }

  #noteTyping({ userId, username, isTyping }: Extract<ServerFrame, { type: "typing_indicator" }>): void {
    if (isTyping) this.#typing.set(userId, username);
    else this.#typing.delete(userId);
  }

  /** @returns false for what the client has already. */
  #advance(seq: number | undefined): boolean {
    if (seq === undefined || this.#position === undefined) return true;
    if (seq <= this.#position.seq) return false;
    this.#position = { ...this.#position, seq };
    return true;
  }
}
