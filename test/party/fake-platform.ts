import { serialize } from "node:v8";
import type { Connection, Platform, RoomStorage } from "../../party/platform.ts";
import { FakeStorage, type OutputGate } from "./fake-storage.ts";

const CONNECTING_DONE = 1;
const CLOSED = 3;

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

/** What survives a room's sleep, and nothing else. */
export class FakePlatform {
  readonly storage = new FakeStorage();
  connections = new Set<FakeConnection>();
  /** For objects that a test makes itself. */
  readonly blockConcurrencyWhile = oneAtATime();
  #life = 0;

  /** The platform as one object has it. Once there is the next, the object before it is dead and can change nothing. */
  open(): Platform {
    const life = ++this.#life;
    const isAlive = () => this.#life === life;
    return {
      storage: mortal(this.storage, isAlive),
      blockConcurrencyWhile: oneAtATime(),
      getConnections: () => [...this.connections].filter(({ readyState }) => readyState === CONNECTING_DONE),
    };
  }
}

function mortal(storage: RoomStorage, isAlive: () => boolean): RoomStorage {
  const unlessDead = <Result>(work: () => Promise<Result>): Promise<Result> =>
    isAlive() ? work() : new Promise<Result>(() => {});
  return {
    get: (keys) => unlessDead(() => storage.get(keys)),
    list: (options) => unlessDead(() => storage.list(options)),
    put: (key: string | Record<string, unknown>, value?: unknown) =>
      unlessDead(() => (typeof key === "string" ? storage.put(key, value) : storage.put(key))),
    delete: (keys) => unlessDead(() => storage.delete(keys)),
    getAlarm: () => unlessDead(() => storage.getAlarm()),
    setAlarm: (at) => unlessDead(() => storage.setAlarm(at)),
  };
}

function oneAtATime(): Platform["blockConcurrencyWhile"] {
  let last: Promise<unknown> = Promise.resolve();
  return async (callback) => {
    const before = last;
    const { promise, resolve } = Promise.withResolvers<void>();
    last = promise;
    await before;
    try {
      return await callback();
    } finally {
      resolve();
    }
  };
}
