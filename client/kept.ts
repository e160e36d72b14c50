import { isCount, isObject, parse } from "./frames.ts";
import type { ChatMessage, ChatStorage } from "./types.ts";

/** What is kept of a room while the app is closed. */
export interface Snapshot {
  epoch: string;
  readSeq: number;
  /** The newest ones, without a gap. */
  messages: ChatMessage[];
}

const OUT = "out:";

/**
 * One user's part of a storage. Everything is done in the order in which it was asked for. A storage that fails costs what
 * it would have kept and nothing else.
 */
export class Kept {
  readonly #storage: ChatStorage;
  readonly #prefix: string;
  readonly #onError: (error: unknown) => void;
  #work: Promise<unknown> = Promise.resolve();

  constructor(storage: ChatStorage, userId: string, onError: (error: unknown) => void) {
    this.#storage = storage;
    this.#prefix = `parley:${userId}:`;
    this.#onError = onError;
  }

  /** Every message that waits to be sent, the oldest first. */
  outbox(): Promise<ChatMessage[]> {
    return this.#do([], async () => {
      const keys = await this.#storage.keys(this.#prefix + OUT);
      const values = await Promise.all(keys.map((key) => this.#storage.get(key)));
      const found = values.map((value) => parse(value ?? "")).filter(isMessage);
      return found.sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
    });
  }

  room(id: string): Promise<Snapshot | undefined> {
    return this.#do(undefined, async () => {
      const found = parse((await this.#storage.get(this.#roomKey(id))) ?? "");
      return isSnapshot(found) ? found : undefined;
    });
  }

  keep(message: ChatMessage): void {
    const { error } = message;
    const told = error && { code: error.code, message: error.message };
    this.#set(this.#outKey(message.clientMessageId ?? ""), { ...message, error: told });
  }

  drop(clientMessageId: string): void {
    void this.#do(undefined, () => this.#storage.delete(this.#outKey(clientMessageId)));
  }

  keepRoom(id: string, snapshot: Snapshot): void {
    this.#set(this.#roomKey(id), snapshot);
  }

  /** Forgets everything of this user's. */
  clear(): Promise<void> {
    return this.#do(undefined, async () => {
      const keys = await this.#storage.keys(this.#prefix);
      await Promise.all(keys.map((key) => this.#storage.delete(key)));
    });
  }

  #set(key: string, value: object): void {
    void this.#do(undefined, () => this.#storage.set(key, JSON.stringify(value)));
  }

  #do<Value>(otherwise: Value, work: () => Promise<Value>): Promise<Value> {
    const done = this.#work.then(work).catch((error: unknown) => {
      this.#onError(error);
      return otherwise;
    });
    this.#work = done;
    return done;
  }

  #outKey(clientMessageId: string): string {
    return `${this.#prefix}${OUT}${clientMessageId}`;
  }

  #roomKey(id: string): string {
    return `${this.#prefix}room:${id}`;
  }
}

function isMessage(value: unknown): value is ChatMessage {
  return isObject(value) && TEXTS.every((name) => typeof value[name] === "string");
}

const TEXTS = ["key", "state", "roomId", "userId", "content", "timestamp"];

function isSnapshot(value: unknown): value is Snapshot {
  if (!isObject(value) || typeof value["epoch"] !== "string" || !isCount(value["readSeq"])) return false;
  const { messages } = value;
  return Array.isArray(messages) && messages.every((message) => isMessage(message) && isCount(message.seq));
}
