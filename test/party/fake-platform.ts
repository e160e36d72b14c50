import { serialize } from "node:v8";
import type { Connection, Platform, RoomStorage } from "../../party/platform.ts";

const CONNECTING_DONE = 1;
const CLOSED = 3;

/**
 * Holds back what a room sends until what it has written before is durable, as the platform does. A test can hold the disk
 * or break it.
 */
export class OutputGate {
  #waiting: { send: () => void; after: number }[] = [];
  #written = 0;
  #durable = 0;

  /** A write has begun. @returns its number. */
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

/** Key-value storage with the platform's limits, atomic puts, and a disk that can be held or broken. */
export class FakeStorage implements RoomStorage {
  readonly gate = new OutputGate();
  alarmAt: number | null = null;
  /** What a crash leaves. */
  durable = new Map<string, unknown>();
  puts = 0;
  reads = 0;
  #seen = new Map<string, unknown>();
  #held: (() => void)[] | undefined;
  #failing = false;

  async get(keys: string[]): Promise<Map<string, unknown>> {
    this.reads += keys.length;
    checkKeys(keys);
    return new Map(keys.filter((key) => this.#seen.has(key)).map((key) => [key, structuredClone(this.#seen.get(key))]));
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
    return new Map(keys.slice(0, limit).map((key) => [key, structuredClone(this.#seen.get(key))]));
  }

  put(entries: Record<string, unknown>): Promise<void> {
    checkKeys(Object.keys(entries));
    for (const value of Object.values(entries))
      if (serialize(value).length > 131_072) throw new RangeError("Value too large");
    this.puts += Object.keys(entries).length;
    const kept = structuredClone(entries);
    return this.#write((target) => {
      for (const [key, value] of Object.entries(kept)) target.set(key, value);
    });
  }

  delete(keys: string[]): Promise<number> {
    checkKeys(keys);
    return this.#write((target) => {
      for (const key of keys) target.delete(key);
    }).then(() => keys.length);
  }

  async getAlarm(): Promise<number | null> {
    return this.alarmAt;
  }

  setAlarm(at: number): Promise<void> {
    this.alarmAt = at;
    return Promise.resolve();
  }

  /** Nothing becomes durable until `release`. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const confirm of held) confirm();
  }

  /** From now on the disk refuses to write. */
  breakDisk(): void {
    this.#failing = true;
  }

  /** What is there after the process died: only what was durable. */
  crash(): void {
    this.#held = undefined;
    this.#failing = false;
    this.gate.drop();
    this.#seen = structuredClone(this.durable);
  }

  /** Takes over what another storage holds. */
  copyFrom(other: FakeStorage): void {
    this.durable = structuredClone(other.durable);
    this.#seen = structuredClone(other.durable);
  }

  keys(prefix: string): string[] {
    return [...this.#seen.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  }

  #write(change: (target: Map<string, unknown>) => void): Promise<void> {
    const number = this.gate.write();
    if (this.#failing) return Promise.reject(new Error("The disk is full"));
    change(this.#seen);
    return new Promise((resolve) => {
      const confirm = () => {
        change(this.durable);
        this.gate.confirm(number);
        resolve();
      };
      if (this.#held === undefined) queueMicrotask(confirm);
      else this.#held.push(confirm);
    });
  }
}

/** One end of a socket as the platform hands it to a room; the other end is the test's. */
export class FakeConnection implements Connection {
  readonly id: string;
  readyState = CONNECTING_DONE;
  readonly received: string[] = [];
  closed: { code: number; reason: string } | undefined;
  onClosed: () => void = () => {};
  readonly #gate: OutputGate;
  #attachment: unknown = null;

  constructor(id: string, gate: OutputGate) {
    this.id = id;
    this.#gate = gate;
  }

  get state(): unknown {
    return structuredClone(this.#attachment);
  }

  setState(state: unknown): unknown {
    if (serialize(state).length > 2_048) throw new RangeError("A hibernating socket keeps 2 KB");
    this.#attachment = structuredClone(state);
    return state;
  }

  send(text: string): void {
    if (this.readyState !== CONNECTING_DONE) throw new TypeError("Can't call WebSocket send() after close()");
    this.#gate.send(() => this.received.push(text));
  }

  close(code = 1005, reason = ""): void {
    if (this.readyState !== CONNECTING_DONE) return;
    this.readyState = CLOSED;
    this.#gate.send(() => {
      this.closed = { code, reason };
      this.onClosed();
    });
  }

  /** The client goes away. @param code 1006 for a cut line. */
  goAway(code = 1000): void {
    this.readyState = CLOSED;
    this.closed ??= { code, reason: "" };
  }
}

/** A room's object: what survives its sleep, and nothing else. */
export class FakePlatform implements Platform {
  readonly storage = new FakeStorage();
  connections = new Set<FakeConnection>();

  async blockConcurrencyWhile<Result>(callback: () => Promise<Result>): Promise<Result> {
    return callback();
  }

  getConnections(): Iterable<Connection> {
    return [...this.connections].filter(({ readyState }) => readyState === CONNECTING_DONE);
  }
}

function checkKeys(keys: string[]): void {
  if (keys.length > 128) throw new RangeError("At most 128 keys");
  if (keys.some((key) => new TextEncoder().encode(key).length > 2_048)) throw new RangeError("Key too long");
}
