import { closeQuietly, sendQuietly, type ServerSocket } from "../../domain/sockets.ts";
import type { Now } from "../../domain/ports/clock.ts";
import { ChatError, type CloseReason, type ErrorCode, ERRORS } from "../../protocol/errors.ts";
import type { ClientFrame, ServerFrame, Since } from "../../protocol/frames.ts";
import type { ChannelId, ClientMessageId } from "../../protocol/ids.ts";
import { TIMES } from "../../protocol/limits.ts";
import { backoffMs } from "./backoff.ts";
import { closeVerdict } from "./close-verdict.ts";
import type { Dial } from "./dial.ts";
import { HeldMessages } from "./held-messages.ts";
import { readRoomFrames, type RoomFrame } from "./room-frame.ts";
import { type AskedJoin, RoomView } from "./room-view.ts";

/** The client's connection, as one of its rooms sees it. */
export interface RoomHost {
  readonly dial: Dial;
  readonly random: () => number;
  readonly now: Now;
  /** The newest token of the client. */
  readonly token: string;
  /** The client used to make itself heard and has not for long. */
  readonly isSilent: boolean;
  /** Hands on what came from the room together. */
  deliver(frames: readonly RoomFrame[]): void;
  send(frame: ServerFrame): void;
  /** Closes the client's socket: what happened concerns more than this room. */
  end(reason: CloseReason): void;
  /** The room is not joined any more. */
  forget(roomId: ChannelId): void;
}

const IS_HERE = '{"type":"read","seq":0}'; // no mark is lower: it only says that the client is there
const HEARD_EVERY = 32; // messages, to a client that never says `received`
const JOIN_TIMEOUT_MS = 8_000;
const LEAVE_TIMEOUT_MS = 3_000;
/** How long an outage stays hidden; then the client is told, and messages are not held any more. */
const OUTAGE_TOLD_MS = 5_000;
/** How long others have to come back after a room broke, before the client is told that they are gone. */
const RETURN_MS = TIMES.presenceGraceMs + 1_000;

/**
 * One room on a client's socket: an upstream socket that is joined again from the last position whenever it breaks, so
 * that the client sees neither a gap nor a repeat.
 */
export class RoomSession {
  readonly #host: RoomHost;
  readonly #roomId: ChannelId;
  #view: RoomView;
  readonly #held = new HeldMessages();
  #state: "joining" | "joined" | "leaving" | "ended" = "joining";
  #socket: ServerSocket | undefined;
  #socketToken = "";
  #saysReceived = false;
  #unheard = 0; // messages since the room last heard of the client
  #attempt = 0;
  /** A `join_room` of the client's that came while its room was out of reach, or being left. */
  #askedAgain: AskedJoin | undefined;
  #isTold = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #outageTimer: ReturnType<typeof setTimeout> | undefined;
  #returnTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: RoomHost, roomId: ChannelId, since: Since | undefined) {
    this.#host = host;
    this.#roomId = roomId;
    this.#view = new RoomView(roomId, since, host.now);
    this.#startOutage();
    void this.#connect();
  }

  /** The newest position the room is known to have reached, for the client's `heads`. */
  get head(): number | undefined {
    return this.#state === "joined" ? this.#view.head : undefined;
  }

  /** Its place on the socket is another's to take. */
  get isBeingLeft(): boolean {
    return this.#state === "leaving" && this.#askedAgain === undefined;
  }

  /** Tells the room that the client is here. One that pings has promised to go on, so only for it is that a ping. */
  keepAlive(isPinging: boolean): void {
    if (this.#state === "joined") this.#say(isPinging ? '{"type":"ping"}' : IS_HERE);
  }

  /** The client spoke, which acknowledges to rooms it never said `received` to. */
  heard(isPinging: boolean): void {
    if (!this.#saysReceived && this.#unheard >= HEARD_EVERY) this.keepAlive(isPinging);
  }

  /** Hands a client's frame to the room, or keeps what must not get lost until the room is back. */
  write(frame: ClientFrame, text: string): void {
    if (this.#state === "joined") this.#forward(frame, text);
    else if (frame.type === "message") this.#hold(frame.clientMessageId, text);
    else if (frame.type === "join_room" && (this.#isAnsweredLater(frame) || this.#state === "leaving"))
      this.#askedAgain = { since: frame.since, text };
    // Typing, marks and receipts mean nothing to a room that is not there; clients repeat them.
  }

  /** Leaves the room; its last answers still reach the client, then `room_left`. */
  leave(text: string): void {
    this.#askedAgain = undefined;
    if (this.#state === "leaving") return;
    if (this.#state !== "joined") return this.#finishLeaving();
    this.#state = "leaving";
    this.#say(text);
    this.#setTimer(() => this.#finishLeaving(), LEAVE_TIMEOUT_MS);
  }

  /** The client has a new token; the room needs it to keep the socket open. */
  refresh(token: string, text: string): void {
    if (this.#state !== "joined") return;
    this.#socketToken = token;
    this.#say(text);
  }

  /** Ends at once and says nothing to the client. */
  close(): void {
    this.#state = "ended";
    clearTimeout(this.#timer);
    clearTimeout(this.#outageTimer);
    clearTimeout(this.#returnTimer);
    this.#drop(1000);
  }

  async #connect(): Promise<void> {
    const token = this.#host.token;
    try {
      const socket = await this.#host.dial(this.#roomId, token, this.#view.position);
      if (this.#isEnded()) return discard(socket);
      this.#adopt(socket, token);
    } catch (error) {
      if (this.#isEnded()) return;
      if (isOutOfSubrequests(error)) this.#host.end("restart");
      else this.#retry();
    }
  }

  #adopt(socket: ServerSocket, token: string): void {
    this.#socket = socket;
    this.#socketToken = token;
    socket.addEventListener("message", ({ data }) => {
      if (this.#socket === socket && typeof data === "string") this.#receive(data);
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (this.#socket === socket) this.#broke(code, reason);
    });
    socket.addEventListener("error", () => {
      if (this.#socket === socket) this.#broke(1006);
    });
    socket.accept();
    this.#setTimer(() => this.#broke(1006), JOIN_TIMEOUT_MS);
  }

  #receive(text: string): void {
    const frames: RoomFrame[] = [];
    let hasLeft = false;
    for (const frame of readRoomFrames(text)) {
      if (frame.type === "room_left") hasLeft = true;
      else frames.push(...this.#view.note(frame));
      if (frame.type === "message") this.#unheard++;
      if (frame.type === "room_joined" && this.#state === "joining") this.#resume();
    }
    if (frames.length > 0) this.#host.deliver(frames);
    if (hasLeft) this.#finishLeaving();
  }

  #resume(): void {
    this.#state = "joined";
    this.#isTold = false;
    clearTimeout(this.#timer);
    clearTimeout(this.#outageTimer);
    this.#returnTimer = setTimeout(() => this.#settleDown(), RETURN_MS);
    const { token } = this.#host;
    if (this.#socketToken !== token) this.refresh(token, JSON.stringify({ type: "refresh", token }));
    if (this.#saysReceived) this.#say('{"type":"received","seq":0}');
    for (const { text } of this.#held.take()) this.#say(text);
    if (this.#askedAgain === undefined) return;
    this.#view.oweJoin(this.#askedAgain);
    this.#say(this.#askedAgain.text);
    this.#askedAgain = undefined;
  }

  #settleDown(): void {
    this.#attempt = 0; // not before: a room that lets in and breaks at once must not be asked ever so often
    this.#host.deliver(this.#view.takeMissing());
  }

  #forward(frame: ClientFrame, text: string): void {
    if (frame.type === "join_room") this.#view.oweJoin({ since: frame.since, text });
    if (frame.type === "received") this.#saysReceived = true;
    this.#say(text);
  }

  #say(text: string): void {
    this.#unheard = 0;
    if (this.#socket !== undefined) sendQuietly(this.#socket, text);
  }

  /** A `join_room` that the `room_joined` on its way does not answer. */
  #isAnsweredLater({ since }: Extract<ClientFrame, { type: "join_room" }>): boolean {
    return since !== undefined || !this.#view.isJoinOwed;
  }

  #hold(clientMessageId: ClientMessageId | undefined, text: string): void {
    if (this.#isTold || !this.#held.hold({ text, clientMessageId })) this.#refuse("storage_unavailable");
  }

  #broke(code: number, reason = ""): void {
    this.#drop(code);
    if (this.#state === "ended") return;
    if (this.#state === "leaving") return this.#finishLeaving();
    const verdict = closeVerdict(code, reason);
    if (verdict.kind === "end") return this.#host.end(verdict.reason);
    if (verdict.kind === "refused") return this.#shutOut(verdict.code, verdict.detail);
    if (verdict.kind === "silent" && this.#host.isSilent) return this.#host.end("resync");
    clearTimeout(this.#returnTimer);
    if (this.#state === "joined") this.#startOutage();
    this.#state = "joining";
    this.#host.deliver(this.#view.takeTypingEnds());
    this.#askedAgain ??= this.#view.takeUnanswered();
    this.#retry();
  }

  #retry(): void {
    this.#setTimer(() => void this.#connect(), backoffMs(this.#attempt++, this.#host.random));
  }

  #startOutage(): void {
    clearTimeout(this.#outageTimer);
    this.#outageTimer = setTimeout(() => {
      this.#isTold = true;
      this.#held.take();
      this.#refuse("storage_unavailable");
    }, OUTAGE_TOLD_MS);
  }

  #shutOut(code: ErrorCode, detail?: string): void {
    this.#refuse(code, detail);
    this.#end();
  }

  /** Names no message: only the room knows which of them it has, from before it broke or from another socket. */
  #refuse(code: ErrorCode, detail?: string): void {
    this.#host.send({
      type: "error",
      code,
      message: detail ?? ERRORS[code].title,
      roomId: this.#roomId,
      ...(ERRORS[code].retry === "later" && { retryAfterMs: OUTAGE_TOLD_MS }),
    });
  }

  #finishLeaving(): void {
    this.#host.send({ type: "room_left", roomId: this.#roomId });
    if (this.#askedAgain !== undefined) return this.#comeBack(this.#askedAgain.since);
    this.#end();
  }

  /** The client has left and asked to join again before we were done. */
  #comeBack(since: Since | undefined): void {
    this.#drop(1000);
    this.#askedAgain = undefined;
    this.#view = new RoomView(this.#roomId, since, this.#host.now);
    this.#state = "joining";
    clearTimeout(this.#returnTimer);
    this.#startOutage();
    this.#retry();
  }

  #end(): void {
    this.close();
    this.#host.forget(this.#roomId);
  }

  #drop(code: number): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) closeQuietly(socket, code);
  }

  #setTimer(then: () => void, ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  #isEnded(): boolean {
    return this.#state === "ended";
  }
}

function discard(socket: ServerSocket): void {
  socket.accept();
  closeQuietly(socket, 1000);
}

// Every join is a subrequest, and an invocation has a fixed number: a new socket of the client's brings new ones.
function isOutOfSubrequests(error: unknown): boolean {
  return error instanceof ChatError && error.cause instanceof Error && /subrequest/i.test(error.cause.message);
}
