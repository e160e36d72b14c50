import { serialize } from "node:v8";
import type { RoomStorage } from "../../party/platform.ts";

/**
 * Holds back what a room sends until what it has written before is durable, as the platform does. A test can hold the disk
 * or break it.
 */
export class OutputGate {
  #waiting: { send: () => void; after: number }[] = [];
  #written = 0;
  #durable = 0;

  /** A transaction has begun. @returns its number. */
  write(): number {
    return ++this.#written;
  }

  confirm(write: number): void {
    this.#durable = Math.max(this.#durable, write);
    while (this.#waiting[0] !== undefined && this.#waiting[0].after <= this.#durable) this.#waiting.shift()?.send();
  }

  send(send: () => void): void {
    if (this.#written <= this.#durable && this.#waiting.length === 0) send();
    else this.#waiting.push({ send, after: this.#written });
  }

  /** The object is gone, and with it all it had not sent. */
  drop(): void {
    this.#waiting = [];
    this.#durable = this.#written;
  }
}

interface State {
  values: Map<string, unknown>;
  alarmAt: number | null;
}
type Change = (state: State) => void;

/**
 * Key-value storage with the platform's limits. Writes that nothing is awaited between are one transaction, the alarm's
 * among them; a crash leaves whole transactions, the oldest first. The disk can be held or broken.
 */
export class FakeStorage implements RoomStorage {
  readonly gate = new OutputGate();
  puts = 0;
  reads = 0;
  /** What a crash leaves. */
  #durable: State = { values: new Map(), alarmAt: null };
  #seen: State = { values: new Map(), alarmAt: null };
  #open: { changes: Change[]; done: Promise<void> } | undefined;
  #held: (() => void)[] | undefined;
  #failing: "at once" | "later" | undefined;

  /** What a crash leaves. */
  get durable(): ReadonlyMap<string, unknown> {
    return this.#durable.values;
  }

  get alarmAt(): number | null {
    return this.#seen.alarmAt;
  }

  /** A test sets it as the platform does when an alarm rings. */
  set alarmAt(at: number | null) {
    void this.setAlarm(at);
  }

  async get(keys: string[]): Promise<Map<string, unknown>> {
    this.reads += keys.length;
    checkKeys(keys);
    const { values } = this.#seen;
    return new Map(keys.filter((key) => values.has(key)).map((key) => [key, structuredClone(values.get(key))]));
  }

  async list({
    prefix,
    start = "",
    end,
    reverse = false,
    limit = Infinity,
  }: Parameters<RoomStorage["list"]>[0]): Promise<Map<string, unknown>> {
    const keys = this.keys(prefix).filter((key) => key >= start && (end === undefined || key < end));
    if (reverse) keys.reverse();
    this.reads += keys.length;
    return new Map(keys.slice(0, limit).map((key) => [key, structuredClone(this.#seen.values.get(key))]));
  }

  put(key: string | Record<string, unknown>, value?: unknown): Promise<void> {
    const entries = typeof key === "string" ? { [key]: value } : key;
    if (this.#failing === "at once") throw new Error("SQLITE_FULL");
    checkKeys(Object.keys(entries));
    for (const each of Object.values(entries))
      if (serialize(each).length > 131_072) throw new RangeError("Value too large");
    this.puts += Object.keys(entries).length;
    const kept = structuredClone(entries);
    return this.#write(({ values }) => {
      for (const [name, each] of Object.entries(kept)) values.set(name, each);
    });
  }

  delete(keys: string[]): Promise<number> {
    checkKeys(keys);
    return this.#write(({ values }) => {
      for (const key of keys) values.delete(key);
    }).then(() => keys.length);
  }

  async getAlarm(): Promise<number | null> {
    return this.#seen.alarmAt;
  }

  setAlarm(at: number | null): Promise<void> {
    return this.#write((state) => {
      state.alarmAt = at;
    });
  }

  /** Nothing becomes durable until `release`. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const commit of held) commit();
  }

  /** From now on the disk refuses to write: the object learns it at once, or when it is too late for it. */
  breakDisk(when: "at once" | "later" = "later"): void {
    this.#failing = when;
  }

  mendDisk(): void {
    this.#failing = undefined;
  }

  /** What is there after the process died: what was durable, and of what was held so many transactions. */
  crash(lasting = 0): void {
    this.gate.drop();
    for (const commit of (this.#held ?? []).slice(0, lasting)) commit();
    this.#held = undefined;
    this.#open = undefined;
    this.#failing = undefined;
    this.#seen = structuredClone(this.#durable);
  }

  /** Takes over what another storage holds. */
  copyFrom(other: FakeStorage): void {
    this.#durable = structuredClone(other.#durable);
    this.#seen = structuredClone(other.#durable);
  }

  keys(prefix: string): string[] {
    return [...this.#seen.values.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  }

  #write(change: Change): Promise<void> {
    if (this.#failing !== undefined) {
      this.gate.write();
      return Promise.reject(new Error("The disk is full"));
    }
    change(this.#seen);
    const transaction = this.#open ?? this.#begin();
    transaction.changes.push(change);
    return transaction.done;
  }

  #begin(): { changes: Change[]; done: Promise<void> } {
    const number = this.gate.write();
    const changes: Change[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const commit = () => {
      for (const change of changes) change(this.#durable);
      this.gate.confirm(number);
      resolve();
    };
    const transaction = { changes, done: promise };
    this.#open = transaction;
    queueMicrotask(() => {
      if (this.#open !== transaction) return; // the process died first
      this.#open = undefined;
      if (this.#held === undefined) commit();
      else this.#held.push(commit);
    });
    return transaction;
  }
}

function checkKeys(keys: string[]): void {
  if (keys.length > 128) throw new RangeError("At most 128 keys");
  if (keys.some((key) => new TextEncoder().encode(key).length > 2_048)) throw new RangeError("Key too long");
}
