import type { Recorder } from "../history/recorder.ts";
import type { ChaosHttp } from "./http.ts";
import type { SecretWatch } from "./secrets.ts";

/** What every client of a run is given. */
export interface ChaosClientDeps {
  recorder: Recorder;
  http: ChaosHttp;
  secrets: SecretWatch;
  /** From 0 up to 1; decides nothing but when and how something is tried again. */
  random: () => number;
  /** Numbers the sockets of the whole run. */
  nextSocket: () => number;
}

/** What a client does that is not asked of it: reads, reconnects, sends again. */
export interface ChaosClientOptions {
  /** Its name in the history. */
  name: string;
  user: string;
  rooms: readonly string[];
  /** `offender`s are sent away now and then and come back; `deaf` ones never say what they received. */
  role: "member" | "offender" | "deaf";
}

export interface PageRange {
  before?: number;
  after?: number;
  limit: number;
}

/**
 * A client that the run drives: it keeps its sockets open, sends until it is answered, and fills every gap it finds. What
 * it sends and sees it writes into the history itself. Raw sockets stand behind it, or an SDK.
 */
export interface ChaosClient {
  readonly options: ChaosClientOptions;
  /** Gets its tokens and opens its sockets; resolves once it has joined every room for the first time. */
  start(): Promise<void>;
  /**
   * Sends a message, and again after every reconnect, until it is acked or refused for good. An SDK makes ids of its own,
   * and does not send again what was answered.
   */
  send(room: string, content: string, id?: string): void;
  type(room: string, isTyping: boolean): void;
  markRead(room: string): void;
  /** Stops reading its sockets for a while. */
  pause(ms: number): void;
  /** Breaks its sockets without a goodbye; it comes back by itself. */
  reconnect(): void;
  /** A page of history over HTTP; an SDK reads the one before what it has. */
  readPage(room: string, range: PageRange): Promise<void>;
  /** Messages with neither an ack nor a refusal yet. */
  readonly waiting: number;
  /** Whether it is in the room on an open socket. */
  isIn(room: string): boolean;
  /** Up to where it has everything; 0 before its first join. */
  headOf(room: string): number;
  epochOf(room: string): string | undefined;
  /** The code it was told to stop with, if it was. */
  readonly stoppedWith: number | undefined;
  /** Only where it speaks the protocol itself. */
  readonly raw: RawDoors | undefined;
  stop(): void;
}

/** What no SDK lets an app do. */
export interface RawDoors {
  /** Sends a frame once, as it is. */
  sendRaw(room: string, frame: Record<string, unknown>): void;
  /** Joins as one who says that it stopped reading somewhere else. */
  rejoinFrom(room: string, since: { epoch: string; seq: number }): void;
}
