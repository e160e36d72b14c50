import { ChatError, type ChatErrorCode } from "./chat-error.ts";
import { isCount, isObject, parse } from "./frames.ts";
import type { ChatMessage, ChatStorage, Kept, KeptRoom, OpenKept } from "./types.ts";

const OUT = "out:";
const ROOM = "room:";
/** A storage that hangs must not keep anybody from talking. */
const LOAD_MS = 3_000;
const TEXTS = ["key", "state", "roomId", "userId", "content", "timestamp"];

/**
 * Keeps the outbox and the newest messages in a storage of the app's: AsyncStorage, MMKV, a file.
 *
 * @example
 * const storage = keepIn({
 *   get: (key) => AsyncStorage.getItem(key),
 *   set: (key, value) => AsyncStorage.setItem(key, value),
 *   delete: (key) => AsyncStorage.removeItem(key),
 *   keys: async (prefix) => (await AsyncStorage.getAllKeys()).filter((key) => key.startsWith(prefix)),
 * });
 */
export function keepIn(storage: ChatStorage): OpenKept {
  return (userId, onError) => new KeptInStorage(storage, userId, onError);
}

/** Everything is done in the order in which it was asked for. */
class KeptInStorage implements Kept {
  readonly #storage: ChatStorage;
  readonly #prefix: string;
  readonly #onError: (error: unknown) => void;
  #work: Promise<unknown> = Promise.resolve();

  constructor(storage: ChatStorage, userId: string, onError: (error: unknown) => void) {
    this.#storage = storage;
    this.#prefix = `parley:${userId}:`;
    this.#onError = onError;
  }

  async load(): ReturnType<Kept["load"]> {
    const waiting: ChatMessage[] = [];
    const rooms = new Map<string, KeptRoom>();
    const patience = new Promise<void>((done) => setTimeout(done, LOAD_MS));
    const reading = this.#do(async () => {
      const keys = await this.#storage.keys(this.#prefix);
      const values = await Promise.all(keys.map((key) => this.#storage.get(key)));
      for (const [at, key] of keys.entries()) {
        const value = parse(values[at] ?? "");
        const name = key.slice(this.#prefix.length);
        if (name.startsWith(OUT) && isMessage(value)) waiting.push(revive(value));
        if (name.startsWith(ROOM) && isRoom(value)) rooms.set(name.slice(ROOM.length), value);
      }
    });
    await Promise.race([reading, patience]);
    // Copies: whoever comes too late must not be believed any more.
    return { waiting: [...waiting].sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1)), rooms: new Map(rooms) };
  }

  keep(message: ChatMessage): void {
    const { error } = message;
    this.#set(OUT + message.clientMessageId, {
      ...message,
      error: error && { code: error.code, message: error.message },
    });
  }

  drop(clientMessageId: string): void {
    void this.#do(() => this.#storage.delete(this.#prefix + OUT + clientMessageId));
  }

  keepRoom(roomId: string, room: KeptRoom): void {
    this.#set(ROOM + roomId, room);
  }

  clear(): Promise<void> {
    return this.#do(async () => {
      const keys = await this.#storage.keys(this.#prefix);
      await Promise.all(keys.map((key) => this.#storage.delete(key)));
    });
  }

  #set(name: string, value: object): void {
    void this.#do(() => this.#storage.set(this.#prefix + name, JSON.stringify(value)));
  }

  #do(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work).catch(this.#onError);
    this.#work = done;
    return done;
  }
}

function isMessage(value: unknown): value is ChatMessage {
  return isObject(value) && TEXTS.every((name) => typeof value[name] === "string");
}

function isRoom(value: unknown): value is KeptRoom {
  if (!isObject(value) || typeof value["epoch"] !== "string" || !isCount(value["readSeq"])) return false;
  const { messages } = value;
  return Array.isArray(messages) && messages.every((message) => isMessage(message) && isCount(message.seq));
}

function revive(message: ChatMessage): ChatMessage {
  const { error } = message;
  return error === undefined
    ? message
    : { ...message, error: new ChatError(error.code as ChatErrorCode, error.message) }; // written by ourselves
}
