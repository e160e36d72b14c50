import { BoundedMap } from "../domain/bounded-map.ts";
import { clientIdKey, type KnownMessage, toKnown } from "../domain/room/event-log.ts";
import { ChatError } from "../protocol/errors.ts";
import type { ClientMessageId, UserId } from "../protocol/ids.ts";
import type { ChatRoom } from "./room.ts";
import { findSetAside } from "./set-aside.ts";

/** Answers of history that are remembered, because who sends something again often does so more than once. */
const ANSWERS_MAX = 1_000;

/** Knows messages by their client ids: those of the log from memory, older ones by asking history. */
export class Recall {
  readonly #room: ChatRoom;
  readonly #answers = new BoundedMap<string, KnownMessage>(ANSWERS_MAX);

  constructor(room: ChatRoom) {
    this.#room = room;
  }

  /** The message that has this id, as far as the room knows by now. */
  find(userId: UserId, clientMessageId: ClientMessageId): KnownMessage | undefined {
    const { log } = this.#room.requireOrder();
    return log.findKnown(userId, clientMessageId) ?? this.#answers.get(clientIdKey(userId, clientMessageId));
  }

  /**
   * Asks history for an id that may have left the log. Undefined for any other, which is nearly every one: there is
   * nothing to wait for, and `find` has the last word.
   *
   * @returns a promise that is rejected with `storage_unavailable` when history does not answer, and with `rate_limited`
   *   when the user has made it answer too often.
   */
  ask(userId: UserId, clientMessageId: ClientMessageId): Promise<void> | undefined {
    const { order } = this.#room;
    const key = clientIdKey(userId, clientMessageId);
    if (order === undefined || !order.spent.mayHave(key) || this.find(userId, clientMessageId)) return undefined;
    return this.#askHistory(userId, clientMessageId, key);
  }

  async #askHistory(userId: UserId, clientMessageId: ClientMessageId, key: string): Promise<void> {
    const { deps, clock, outbox, durable } = this.#room;
    const { recalls } = this.#room.requireOrder();
    const { app, channelId } = this.#room.requireLife().identity;
    const retryAfterMs = recalls.waitMs(userId, clock.now());
    if (retryAfterMs !== undefined) throw new ChatError("rate_limited", { retryAfterMs });
    recalls.note(userId, clock.now());
    const event =
      (outbox.hasSetAside ? await findSetAside(durable.storage, userId, clientMessageId) : undefined) ??
      (await deps.store.findByClientId(app, channelId, userId, clientMessageId));
    if (event !== undefined) this.#answers.set(key, toKnown(event));
    deps.log.note("client_id_recalled", { userId, found: event !== undefined });
  }
}
