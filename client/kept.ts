import { ChatError, type ChatErrorCode } from "./chat-error.ts";
import { isCount, isObject, parse } from "./frames.ts";
import type { ChatMessage, ChatStorage, KeepableRoom, Kept, KeptRoom, OpenKept } from "./types.ts";

const OUT = "out:";
const ROOM = "room:";
/** A storage that hangs must not keep anybody from talking. */
const LOAD_MS = 3_000;
/** How long the newest messages may wait to be written, for those that come with them. */
const WRITE_MS = 1_000;
const SHOWN = 50;
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
  readonly #userId: string;
  readonly #onError: (error: unknown) => void;
  /** What an earlier visit left, once it is read. */
  #left: { waiting: readonly ChatMessage[]; rooms: ReadonlyMap<string, KeptRoom> } | undefined;
  /** What is stored of messages that are not sent, by their ids. */
  readonly #unsent = new Map<string, ChatMessage>();
  /** Rooms whose newest messages are to be written, and what was written last. */
  readonly #due = new Set<KeepableRoom>();
  readonly #written = new Map<string, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #work: Promise<unknown> = Promise.resolve();
  /** Counts how often everything was forgotten. */
  #life = 0;

  constructor(storage: ChatStorage, userId: string, onError: (error: unknown) => void) {
    this.#storage = storage;
    this.#userId = userId;
    this.#onError = onError;
  }

  async load(): Promise<readonly string[]> {
    const life = this.#life;
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
    if (life !== this.#life) return []; // it was cleared meanwhile
    // Copies: whoever comes too late must not be believed any more.
    const sorted = [...waiting].sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
    this.#left = { waiting: sorted, rooms: new Map(rooms) };
    return sorted.map(({ roomId }) => roomId);
  }

  restore(room: KeepableRoom): void {
    if (!this.#left) return;
    const { id } = room.room;
    const waiting = this.#left.waiting.filter(({ roomId }) => roomId === id);
    for (const message of waiting) this.#unsent.set(idOf(message), message);
    room.restore(waiting, this.#left.rooms.get(id));
  }

  keep(room: KeepableRoom): void {
    const { id, messages } = room.room;
    const unsent = new Map(messages.filter(({ state }) => state !== "sent").map((one) => [idOf(one), one]));
    for (const [messageId, message] of unsent) if (this.#unsent.get(messageId) !== message) this.#keepUnsent(message);
    for (const [messageId, { roomId }] of this.#unsent)
      if (roomId === id && !unsent.has(messageId)) this.#dropUnsent(messageId);
    this.#due.add(room);
    this.#timer ??= setTimeout(() => this.flush(), WRITE_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const room of this.#due) this.#keepRoom(room);
    this.#due.clear();
  }

  clear(): Promise<void> {
    this.#life++;
    this.#due.clear();
    this.#left = undefined;
    this.#unsent.clear();
    this.#written.clear();
    return this.#do(async () => {
      const keys = await this.#storage.keys(this.#prefix);
      await Promise.all(keys.map((key) => this.#storage.delete(key)));
    });
  }

  get #prefix(): string {
    return `parley:${this.#userId}:`;
  }

  #keepUnsent(message: ChatMessage): void {
    const { error } = message;
    this.#unsent.set(idOf(message), message);
    const kept = { ...message, error: error && { code: error.code, message: error.message } };
    this.#set(OUT + idOf(message), JSON.stringify(kept));
  }

  #dropUnsent(messageId: string): void {
    this.#unsent.delete(messageId);
    void this.#do(() => this.#storage.delete(this.#prefix + OUT + messageId));
  }

  #keepRoom({ room, since }: KeepableRoom): void {
    const place = since();
    if (!place) return;
    // What comes after the place has a gap before it.
    const messages = room.messages.filter(({ seq }) => seq !== undefined && seq <= place.seq).slice(-SHOWN);
    const kept: KeptRoom = { epoch: place.epoch, readSeq: room.state.readMarks[this.#userId], messages };
    const text = JSON.stringify(kept);
    if (this.#written.get(room.id) === text) return;
    this.#written.set(room.id, text);
    this.#set(ROOM + room.id, text);
  }

  #set(name: string, text: string): void {
    void this.#do(() => this.#storage.set(this.#prefix + name, text));
  }

  #do(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work).catch(this.#onError);
    this.#work = done;
    return done;
  }
}

function idOf({ clientMessageId = "" }: ChatMessage): string {
  return clientMessageId;
}

function isMessage(value: unknown): value is ChatMessage {
  return isObject(value) && TEXTS.every((name) => typeof value[name] === "string");
}

function isRoom(value: unknown): value is KeptRoom {
  if (!isObject(value)) return false;
  const { epoch, readSeq, messages } = value;
  if (typeof epoch !== "string" || (readSeq !== undefined && !isCount(readSeq))) return false;
  return Array.isArray(messages) && messages.every((message) => isMessage(message) && isCount(message.seq));
}

function revive(message: ChatMessage): ChatMessage {
  const { error } = message;
  return error === undefined
    ? message
    : { ...message, error: new ChatError(error.code as ChatErrorCode, error.message) }; // written by ourselves
}
