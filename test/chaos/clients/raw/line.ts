import { isReconnectCode } from "../../../../protocol/errors.ts";
import type { ServerFrame, Since } from "../../../../protocol/frames.ts";
import { backoffMs } from "./backoff.ts";
import { Link } from "./link.ts";
import type { Self } from "./self.ts";

export interface LineEvents {
  frame(frame: ServerFrame): void;
  /** The other side has told the client to stop. */
  dismissed(code: number): void;
  /** Where a room is read on. */
  sinceOf(room: string): Since | undefined;
}

/** How long a room that shut the client out is left alone. */
const REJOIN_MS = 500;

/** The socket of one or of all rooms: opened again whenever it is lost, until it is told to stop. */
export class Line {
  readonly rooms: readonly string[];
  /** The number of the socket that is or was open last. */
  socket = 0;
  isOver = false;
  readonly #self: Self;
  readonly #events: LineEvents;
  readonly #joined = new Set<string>();
  /** Where the client said that it had stopped reading, for each room whose answer is awaited. */
  readonly #asked = new Map<string, Since | undefined>();
  #link: Link | undefined;
  #attempt = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(rooms: readonly string[], self: Self, events: LineEvents) {
    this.rooms = rooms;
    this.#self = self;
    this.#events = events;
  }

  isIn(room: string): boolean {
    return this.#link?.isOpen === true && this.#joined.has(room);
  }

  /** @returns false when there is no socket to say it on. */
  say(frame: object): boolean {
    return this.#link?.say(frame) === true;
  }

  /** Opens a socket in its first room. */
  open(): void {
    if (this.isOver) return;
    const [room = ""] = this.rooms;
    const { recorder, secrets, options, signIn, lines, address, nextSocket } = this.#self;
    const socket = nextSocket();
    const { name: client } = options;
    this.socket = socket;
    this.#joined.clear();
    this.#asked.clear();
    const since = this.#events.sinceOf(room);
    const url = new URL(address(room));
    if (since !== undefined) url.searchParams.set("since", `${since.epoch}.${since.seq}`);
    this.#asked.set(room, since);
    let isOpen = false;
    this.#link = new Link(url.href, signIn.wsToken, lines, {
      text: (text) => secrets.look(text, "a frame"),
      frame: (frame) => {
        if (!isOpen) recorder.write({ kind: "opened", client, socket });
        isOpen = true;
        this.#events.frame(frame);
      },
      refused: (status) => recorder.write({ kind: "request", route: "GET socket", status }),
      closed: (code) => {
        if (isOpen || code !== 1006) recorder.write({ kind: "closed", client, socket, code, wanted: this.isOver });
        this.#lost(code);
      },
    });
  }

  /** One at a time, so that it is known what a `room_joined` answers. @returns false while another is under way. */
  join(room: string, since: Since | undefined): boolean {
    if (this.#asked.has(room)) return false;
    this.#asked.set(room, since);
    this.say({ type: "join_room", roomId: room, ...(since !== undefined && { since }) });
    return true;
  }

  /** Joins the rooms that the socket was not opened in. */
  joinOthers(): void {
    for (const room of this.rooms.slice(1)) this.join(room, this.#events.sinceOf(room));
  }

  /** A `room_joined` has come. @returns where the client had said that it had stopped reading. */
  joined(room: string): Since | undefined {
    const since = this.#asked.get(room);
    this.#asked.delete(room);
    this.#joined.add(room);
    this.#attempt = 0;
    return since;
  }

  /** A `join_room` gets no answer but the error that has come. */
  notJoined(room: string): void {
    this.#asked.delete(room);
  }

  left(room: string): void {
    this.#joined.delete(room);
  }

  /** A shared socket is no longer in the room: it tries again, as the room may only have been out of reach. */
  shutOut(room: string): void {
    if (!this.#joined.delete(room)) return;
    const { recorder, options } = this.#self;
    recorder.write({ kind: "left", client: options.name, socket: this.socket, room, wanted: false });
    setTimeout(() => this.join(room, this.#events.sinceOf(room)), REJOIN_MS);
  }

  /** Stops reading for a while. */
  pause(ms: number): void {
    if (this.#link?.pause(ms) !== true) return;
    const { recorder, options } = this.#self;
    recorder.write({ kind: "paused", client: options.name, socket: this.socket, until: recorder.now() + ms });
  }

  /** Breaks the socket without a goodbye; it comes back by itself. */
  cut(): void {
    this.#link?.cut();
  }

  stop(): void {
    this.isOver = true;
    clearTimeout(this.#retry);
    this.#link?.close();
  }

  #lost(code: number): void {
    this.#joined.clear();
    if (this.isOver) return;
    const { options, random } = this.#self;
    if (!isReconnectCode(code) && options.role === "member") return this.#events.dismissed(code);
    this.#retry = setTimeout(() => void this.#comeBack(code), backoffMs(this.#attempt++, random));
  }

  async #comeBack(code: number): Promise<void> {
    if (code === 4001) await this.#self.signIn.renew();
    this.open();
  }
}
