/**
 * What a room uses of PartyKit, and no more. `room.id` and `room.context` are left out on purpose: once an alarm has woken
 * an object they throw for the rest of its life.
 */
export interface Platform {
  readonly storage: RoomStorage;
  blockConcurrencyWhile<Result>(callback: () => Promise<Result>): Promise<Result>;
  getConnections(): Iterable<Connection>;
}

/** A room's key-value storage. Nothing a room sends leaves before what it has put is durable. */
export interface RoomStorage {
  get(keys: string[]): Promise<Map<string, unknown>>;
  list(options: {
    prefix: string;
    start?: string;
    /** Not included. */
    end?: string;
    /** From the end. */
    reverse?: boolean;
    limit?: number;
    noCache?: boolean;
  }): Promise<Map<string, unknown>>;
  put(key: string, value: unknown): Promise<void>;
  put(entries: Record<string, unknown>): Promise<void>;
  delete(keys: string[]): Promise<number>;
  getAlarm(): Promise<number | null>;
  setAlarm(at: number): Promise<void>;
}

/** A socket. Its state survives hibernation and holds 2 KB. */
export interface Connection {
  readonly id: string;
  readonly readyState: number;
  readonly state: unknown;
  setState(state: unknown): unknown;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** `WebSocket.OPEN` and `WebSocket.CLOSING`. */
export const OPEN = 1;
export const CLOSING = 2;
