import { ChatError } from "./chat-error.ts";
import { defer, type Deferred, jitter } from "./platform.ts";
import type { ChatMessage, ChatPlatform, Sent } from "./types.ts";

export type Outbox = ReturnType<typeof createOutbox>;

const ACK_MS = 10_000;
/** Nothing is wrong with the message: it is sent again, under the same id. */
const PASSING = /^(rate_limited|(storage|rooms)_unavailable|history_backlog|internal)$/;

/**
 * One room's messages that are not in its order yet. One is on its way at a time, so that they get there in the order in
 * which they were written, whatever is refused or lost in between.
 *
 * @param transmit Returns whether a message went out; not while the room is not joined.
 * @param changed `items` is another list now.
 */
export function createOutbox(
  { monotonicNow: now, random }: ChatPlatform,
  transmit: (message: ChatMessage) => boolean,
  changed: () => void,
) {
  const promised = new Map<string | undefined, Deferred<Sent>>();
  /** Never changed, only replaced. A stored message stays until it has its place in the room's order. */
  let items: readonly ChatMessage[] = [];
  let underWay: ChatMessage["clientMessageId"];
  let sentAt = 0;
  let pausedUntil = 0;
  let failures = 0;

  const find = (id: string | undefined): ChatMessage | undefined =>
    items.find(({ clientMessageId }) => clientMessageId === id);

  function replaceAll(by: readonly ChatMessage[]): void {
    items = by;
    changed();
  }

  function replace(item: ChatMessage, by: ChatMessage | []): void {
    replaceAll(items.flatMap((other) => (other === item ? by : other)));
  }

  /** Sends what is next, unless something is on its way or has to wait. */
  function next(): void {
    const item = items.find(({ state }) => state === "sending");
    if (!item || underWay || now() < pausedUntil || !transmit(item)) return;
    underWay = item.clientMessageId;
    sentAt = now();
  }

  /** Something has become of a message: the next one may go. */
  function landed(id: string | undefined): void {
    if (underWay === id) underWay = undefined;
    next();
  }

  function promise(id: string | undefined): Promise<Sent> {
    const deferred = promised.get(id) ?? defer<Sent>();
    promised.set(id, deferred);
    return deferred.promise;
  }

  /** Whom the promise of a message was given to; nobody, the second time. */
  function answer(id: string | undefined): Deferred<Sent> | undefined {
    const deferred = promised.get(id);
    promised.delete(id);
    return deferred;
  }

  function fail(item: ChatMessage, error: ChatError): void {
    replace(item, { ...item, state: "failed", error });
    answer(item.clientMessageId)?.reject(error);
  }

  /** Puts a message at the end of what is to be sent; with an error, it is known already that it cannot be. */
  function add(message: ChatMessage, error?: ChatError): Promise<Sent> {
    const id = message.clientMessageId;
    replaceAll([...items.filter(({ clientMessageId }) => clientMessageId !== id), message]);
    const sent = promise(id);
    if (error) fail(message, error);
    next();
    return sent;
  }

  /** The socket is gone: what was on its way is sent again on the next one. */
  function lost(): void {
    underWay = undefined;
    pausedUntil = 0;
  }

  return {
    get items() {
      return items;
    },
    get hasUnsent() {
      return items.some(({ state }) => state === "sending");
    },
    find,
    next,
    add,
    lost,

    /** What an earlier visit left comes before what was written since. */
    restore(messages: readonly ChatMessage[]): void {
      replaceAll([...messages.filter(({ clientMessageId }) => !find(clientMessageId)), ...items]);
      next();
    },

    /** It is stored, as its ack says or its place in the room's order, which may both come first. */
    stored(id: string | undefined, sent: Sent, isPlaced: boolean): void {
      const item = find(id);
      if (!item) return;
      const { messageId, seq, timestamp, moderation } = sent;
      failures = 0;
      replace(item, isPlaced ? [] : { ...item, state: "sent", messageId, seq, timestamp, moderation });
      answer(id)?.resolve(sent);
      landed(id);
    },

    /** It is certainly not stored. */
    refused(id: string, error: ChatError): void {
      const item = find(id);
      if (item?.state !== "sending") return;
      if (PASSING.test(error.code)) {
        pausedUntil = now() + (error.retryAfterMs ?? 1_000) + jitter(random, failures++, 500);
        underWay = undefined;
        return;
      }
      fail(item, error);
      landed(id);
    },

    /** The room will not have us. */
    refuseAll(error: ChatError): void {
      lost();
      for (const item of items) if (item.state === "sending") fail(item, error);
    },

    retry(id: string): Promise<Sent> {
      const item = find(id);
      if (!item || item.state === "sent") return Promise.reject(new ChatError("discarded"));
      return item.state === "sending" ? promise(id) : add({ ...item, state: "sending", error: undefined });
    },

    discard(id: string | undefined): void {
      const item = find(id);
      if (!item) return;
      replace(item, []);
      answer(id)?.reject(new ChatError("discarded"));
      landed(id);
    },

    /** The order in which stored messages had their place is no more. */
    forgetSent(): void {
      replaceAll(items.filter(({ state }) => state !== "sent"));
    },

    tick(): void {
      if (now() - sentAt > ACK_MS) underWay = undefined;
      next();
    },
  };
}
