import { ChatError } from "./chat-error.ts";
import { isTooLong } from "./message-size.ts";
import type { Outbox } from "./outbox.ts";
import type { createPeople } from "./people.ts";
import { newMessageId } from "./platform.ts";
import type { createReadMarks } from "./read-marks.ts";
import type { RoomInside } from "./room-inside.ts";
import type { ChatMessage, Person, RoomEvents, RoomState, Sent, Subscription } from "./types.ts";

/** What an app can reach of a room. */
interface RoomParts extends RoomInside {
  people: ReturnType<typeof createPeople>;
  marks: ReturnType<typeof createReadMarks>;
  outbox: Outbox;
  state: () => RoomState;
  older: (limit: number) => Promise<boolean>;
  leave: () => void;
}

const SHOWN = 50;

/**
 * A room as an app sees it. Made by `client.join`; everything here may be called at any time, connected or not.
 *
 * @example
 * const room = client.join("lobby");
 * room.on("change", ({ messages }) => render(messages));
 * await room.send("Hello!");
 */
export class ChatRoom {
  declare readonly id: string;
  readonly #parts: RoomParts;

  /** @internal Use `client.join`. */
  constructor(parts: RoomParts) {
    this.id = parts.id;
    this.#parts = parts;
  }

  /** Everything a view needs. The same object until something changes. */
  get state(): RoomState {
    return this.#parts.state();
  }

  get messages(): readonly ChatMessage[] {
    return this.state.messages;
  }

  get members(): readonly Person[] {
    return this.state.members;
  }

  /** Registers for an event; `remove()` of what it returns takes that back. */
  on<Name extends keyof RoomEvents>(event: Name, listener: (event: RoomEvents[Name]) => void): Subscription {
    return this.#parts.events.on(event, listener);
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
  send(text: string): Promise<Sent> {
    const { id, host, outbox, people } = this.#parts;
    const content = text.trim();
    if (!content) return Promise.reject(new ChatError("bad_content"));
    const { userId = "" } = host;
    const clientMessageId = newMessageId(host.platform.random);
    people.wrote();
    return outbox.add(
      {
        key: clientMessageId,
        state: "sending",
        roomId: id,
        userId,
        username: this.members.find((person) => person.userId === userId)?.username ?? userId,
        content,
        timestamp: new Date().toISOString(),
        clientMessageId,
      },
      isTooLong(content, host.limits) ? new ChatError("content_too_long") : undefined,
    );
  }

  /** Sends a `failed` message again, under the same id, after all that are waiting. Resolves and rejects as `send` does. */
  retry(clientMessageId: string): Promise<Sent> {
    return this.#parts.outbox.retry(clientMessageId);
  }

  /** Forgets a message that failed or waits. One that is on its way may have been stored, and then comes like any other. */
  discard(clientMessageId: string): void {
    this.#parts.outbox.discard(clientMessageId);
  }

  /** Says that the user types: call it at every key. Told at most every 3 s, and taken back after 5 s without a call. */
  typing(isTyping = true): void {
    this.#parts.people.type(isTyping);
  }

  /** The user has read up to `seq`; everything there is, by default. A mark never goes back. */
  markRead(seq: number = this.#parts.timeline.position): void {
    this.#parts.marks.markRead(seq);
  }

  /**
   * Loads older messages into `state.messages`.
   *
   * @param limit How many, 1 to 200.
   * @returns whether there are more
   * @throws {ChatError} `room_not_found` for who is no member, `unreachable`, `storage_unavailable` and the like: try again
   */
  history(limit: number = SHOWN): Promise<boolean> {
    return this.#parts.older(limit);
  }

  /** Takes one `join` back. After the last one the room is left, once what is still to be sent has been. */
  leave(): void {
    this.#parts.leave();
  }
}
