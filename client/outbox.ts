import { ChatError } from "./chat-error.ts";
import { defer, type Deferred, jitter } from "./platform.ts";
import type { ChatMessage, ChatPlatform, Sent } from "./types.ts";

/** What an outbox asks of its room. */
export interface OutboxHost {
  platform: ChatPlatform;
  /** @returns whether it went out; not while the room is not joined. */
  transmit(message: ChatMessage): boolean;
  /** `items` is another list now. */
  changed(): void;
  keep(message: ChatMessage): void;
  drop(clientMessageId: string): void;
}

const ACK_MS = 10_000;
/** Nothing is wrong with the message: it is sent again, under the same id. */
const PASSING: ReadonlySet<string> = new Set([
  "rate_limited",
  "storage_unavailable",
  "history_backlog",
  "rooms_unavailable",
  "internal",
]);

/**
 * One room's messages that are not in its order yet. One is on its way at a time, so that they get there in the order in
 * which they were written, whatever is refused or lost in between.
 */
export class Outbox {
  /** Never changed, only replaced. An acked message stays until it has its place in the room's order. */
  items: readonly ChatMessage[] = [];
  readonly #host: OutboxHost;
  readonly #waiting = new Map<string | undefined, Deferred<Sent>>();
  #underWay: { id: string | undefined; sentAt: number } | undefined;
  #pausedUntil = 0;
  #failures = 0;

  constructor(host: OutboxHost) {
    this.#host = host;
  }

  get hasUnsent(): boolean {
    return this.items.some(({ state }) => state === "sending");
  }

  /** Puts a message at the end of what is to be sent; with an error, it is known already that it cannot be. */
  add(message: ChatMessage, error?: ChatError): Promise<Sent> {
    const id = message.clientMessageId;
    this.items = [...this.items.filter(({ clientMessageId }) => clientMessageId !== id), message];
    this.#host.keep(message);
    this.#host.changed();
    const promise = this.#wait(id);
    if (error) this.#fail(message, error);
    this.next();
    return promise;
  }

  /** What an earlier visit left comes before what was written since. */
  restore(messages: readonly ChatMessage[]): void {
    const added = messages.filter(({ clientMessageId }) => !this.find(clientMessageId));
    if (!added.length) return;
    this.items = [...added, ...this.items];
    this.#host.changed();
    this.next();
  }

  find(id: string | undefined): ChatMessage | undefined {
    return this.items.find(({ clientMessageId }) => clientMessageId === id);
  }

  acked(id: string, sent: Sent): void {
    const item = this.find(id);
    if (!item) return this.#landed(id);
    this.#failures = 0;
    const { messageId, seq, timestamp, moderation } = sent;
    this.#replace(item, { ...item, state: "sent", messageId, seq, timestamp, moderation });
    this.#host.drop(id);
    this.#answer(id)?.resolve(sent);
    this.#landed(id);
  }

  /** It is in the room's order now, whether its ack has come or was lost. */
  placed(id: string, sent: Sent): void {
    const item = this.find(id);
    if (!item) return;
    if (item.state !== "sent") this.acked(id, sent);
    this.#remove(id);
  }

  /** @returns whether it is certainly not stored and will not be sent again by itself. */
  refused(id: string, error: ChatError): boolean {
    const item = this.find(id);
    if (item?.state !== "sending") return false;
    if (PASSING.has(error.code)) {
      const { monotonicNow, random } = this.#host.platform;
      this.#pausedUntil = monotonicNow() + (error.retryAfterMs ?? 1_000) + jitter(random, this.#failures++, 500);
      this.#underWay = undefined;
      return false;
    }
    this.#fail(item, error);
    this.#landed(id);
    return true;
  }

  /** The room will not have us. */
  refuseAll(error: ChatError): void {
    this.lost();
    for (const item of this.items) if (item.state === "sending") this.#fail(item, error);
  }

  retry(id: string): Promise<Sent> {
    const item = this.find(id);
    if (!item || item.state === "sent") return Promise.reject(new ChatError("discarded"));
    return item.state === "sending" ? this.#wait(id) : this.add({ ...item, state: "sending", error: undefined });
  }

  discard(id: string): void {
    if (!this.find(id)) return;
    this.#remove(id);
    this.#host.drop(id);
    this.#answer(id)?.reject(new ChatError("discarded"));
    this.#landed(id);
  }

  /** The order in which acked messages had their place is no more. */
  forgetSent(): void {
    this.items = this.items.filter(({ state }) => state !== "sent");
  }

  /** The socket is gone: what was on its way is sent again on the next one. */
  lost(): void {
    this.#underWay = undefined;
    this.#pausedUntil = 0;
  }

  tick(): void {
    if (this.#underWay && this.#now() - this.#underWay.sentAt > ACK_MS) this.#underWay = undefined;
    this.next();
  }

  /** Sends what is next, unless something is on its way or has to wait. */
  next(): void {
    const item = this.items.find(({ state }) => state === "sending");
    if (!item || this.#underWay || this.#now() < this.#pausedUntil) return;
    if (this.#host.transmit(item)) this.#underWay = { id: item.clientMessageId, sentAt: this.#now() };
  }

  #fail(item: ChatMessage, error: ChatError): void {
    const failed: ChatMessage = { ...item, state: "failed", error };
    this.#replace(item, failed);
    this.#host.keep(failed);
    this.#answer(item.clientMessageId)?.reject(error);
  }

  #landed(id: string): void {
    if (this.#underWay?.id === id) this.#underWay = undefined;
    this.next();
  }

  #wait(id: string | undefined): Promise<Sent> {
    const waiting = this.#waiting.get(id) ?? defer<Sent>();
    this.#waiting.set(id, waiting);
    return waiting.promise;
  }

  /** Whom the promise of a message was given to; nobody, the second time. */
  #answer(id: string | undefined): Deferred<Sent> | undefined {
    const deferred = this.#waiting.get(id);
    this.#waiting.delete(id);
    return deferred;
  }

  #replace(item: ChatMessage, by: ChatMessage): void {
    this.items = this.items.map((other) => (other === item ? by : other));
    this.#host.changed();
  }

  #remove(id: string): void {
    this.items = this.items.filter(({ clientMessageId }) => clientMessageId !== id);
    this.#host.changed();
  }

  #now(): number {
    return this.#host.platform.monotonicNow();
  }
}
