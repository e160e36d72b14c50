import { createWriteStream, type WriteStream } from "node:fs";
import { hash } from "node:crypto";
import type { Entry, EntryKind, EntryOf } from "./entries.ts";

/** A message as a frame, a page or a row shows it. */
export interface VisibleMessage {
  seq: number;
  messageId: string;
  userId: string;
  content: string;
}

/** Without the time, which is the recorder's. */
export type NewEntry = Entry extends infer One
  ? One extends Entry
    ? Omit<One, "at"> & { at?: number }
    : never
  : never;

/** How long deliveries to one client are gathered into one entry. */
const GATHER_MS = 250;

/** Writes down what happens, in order, in memory and (when asked) in a file. */
export class Recorder {
  readonly entries: Entry[] = [];
  /** How many entries of each kind there are. */
  readonly counts: Partial<Record<EntryKind, number>> = {};
  readonly #startedAt: number = performance.now();
  readonly #file: WriteStream | undefined;
  readonly #numbers = new Map<string, number>();
  /** By client, one for each room: their order among rooms means nothing. */
  readonly #gathering = new Map<string, EntryOf<"saw">[]>();

  constructor(file?: string) {
    this.#file = file === undefined ? undefined : createWriteStream(file);
  }

  /** Milliseconds since the run began. */
  now(): number {
    return Math.round((performance.now() - this.#startedAt) * 10) / 10;
  }

  write(entry: NewEntry): void {
    if ("client" in entry) this.#flushClient(entry.client);
    this.#keep({ ...entry, at: entry.at ?? this.now() });
  }

  /** A message that came on a socket. */
  saw(client: string, socket: number, room: string, message: VisibleMessage): void {
    const n = this.number(room, message);
    const now = this.now();
    const own = this.#gathering.get(client) ?? [];
    this.#gathering.set(client, own);
    const at = own.findIndex((saw) => saw.room === room);
    const open = own[at];
    if (open !== undefined && open.socket === socket && now - open.at < GATHER_MS) {
      open.messages.push(n);
      open.until = now;
      return;
    }
    if (open !== undefined) this.#keep(open);
    own.splice(at === -1 ? own.length : at, 1, {
      kind: "saw",
      at: now,
      until: now,
      client,
      socket,
      room,
      messages: [n],
    });
  }

  /** The number of a message as it was seen; written down when it is seen like this for the first time. */
  number(room: string, { seq, messageId, userId, content }: VisibleMessage): number {
    const digest = contentDigest(content);
    const key = `${room} ${seq} ${messageId} ${userId} ${digest}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const n = this.#numbers.size;
    this.#numbers.set(key, n);
    this.#keep({ kind: "message", at: this.now(), n, room, seq, id: messageId, user: userId, content: digest });
    return n;
  }

  /** Writes what is gathered. */
  flush(): void {
    for (const client of this.#gathering.keys()) this.#flushClient(client);
  }

  async close(): Promise<void> {
    this.flush();
    if (this.#file === undefined) return;
    const file = this.#file;
    await new Promise<void>((resolve, reject) => {
      file.once("error", reject);
      file.end(resolve);
    });
  }

  #flushClient(client: string): void {
    const own = this.#gathering.get(client) ?? [];
    this.#gathering.delete(client);
    for (const saw of own) this.#keep(saw);
  }

  #keep(entry: Entry): void {
    this.entries.push(entry);
    this.counts[entry.kind] = (this.counts[entry.kind] ?? 0) + 1;
    this.#file?.write(`${JSON.stringify(entry)}\n`);
  }
}

/** What stands for a content in a history. */
export function contentDigest(content: string): string {
  return hash("sha1", content, "base64url").slice(0, 12);
}
