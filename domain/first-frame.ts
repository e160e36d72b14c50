import { ChatError } from "../protocol/errors.ts";
import { AuthFrame, splitLines } from "../protocol/frames.ts";
import { parseJson } from "../protocol/json.ts";
import { isFrameTooBig, TIMES } from "../protocol/limits.ts";
import { closeQuietly, closeWith, type ServerSocket } from "./sockets.ts";

/** What a client did between its first frame and the moment somebody took the socket over. */
export interface Early {
  messages: unknown[];
  /** The client has gone; there will be no close event. */
  closed: boolean;
}

const EARLY_MESSAGES_MAX = 64;

/**
 * A socket just accepted whose token has to come as first frame, `{type:"auth", token}`. What the client sends after it is
 * kept until somebody takes the socket over.
 */
export class FirstFrame {
  /**
   * The token.
   *
   * @throws {ChatError} `token_missing` when none came in time or the client went, `bad_frame` for another first frame.
   */
  readonly token: Promise<string>;
  readonly #socket: ServerSocket;
  readonly #takesLines: boolean;
  readonly #early: Early = { messages: [], closed: false };
  readonly #timer: ReturnType<typeof setTimeout>;
  #state: "waiting" | "keeping" | "over" = "waiting";
  #found!: (token: string) => void;
  #failed!: (error: ChatError) => void;

  /** @param takesLines The client may send several frames in one WebSocket message, one a line. */
  constructor(socket: ServerSocket, takesLines = false, timeoutMs: number = TIMES.authFrameMs) {
    this.#socket = socket;
    this.#takesLines = takesLines;
    this.token = new Promise((resolve, reject) => {
      this.#found = resolve;
      this.#failed = reject;
    });
    this.#timer = setTimeout(() => this.#fail("token_missing", "No auth frame in time"), timeoutMs);
    socket.addEventListener("message", ({ data }) => this.#take(data));
    socket.addEventListener("close", ({ code }) => this.#gone(code));
    socket.addEventListener("error", () => this.#gone(1006));
  }

  /** Hands the socket over: from now on its events are the caller's. */
  handOver(): Early {
    this.#state = "over";
    return this.#early;
  }

  #take(data: unknown): void {
    if (this.#state === "over") return;
    if (typeof data !== "string") return this.#refuse("unsupported_data");
    const texts = this.#takesLines ? splitLines(data) : [data];
    if (texts.some(isFrameTooBig)) return this.#refuse("frame_too_big");
    if (this.#state === "waiting") this.#read(texts.shift() ?? "");
    if (this.#early.messages.push(...texts) > EARLY_MESSAGES_MAX) this.#refuse("rate_limited");
  }

  #read(data: string): void {
    const frame = AuthFrame.safeParse(parseJson(data));
    if (!frame.success) return this.#fail("bad_frame", "The first frame must be auth");
    clearTimeout(this.#timer);
    this.#state = "keeping";
    this.#found(frame.data.token);
  }

  #refuse(reason: "unsupported_data" | "frame_too_big" | "rate_limited"): void {
    closeWith(this.#socket, reason);
    this.#gone(1000);
  }

  #gone(code: number): void {
    if (this.#state === "over") return;
    this.#early.closed = true;
    closeQuietly(this.#socket, code);
    if (this.#state === "waiting") this.#fail("token_missing", "Closed before the auth frame");
  }

  #fail(code: "token_missing" | "bad_frame", detail: string): void {
    clearTimeout(this.#timer);
    this.#state = "over";
    this.#failed(new ChatError(code, { detail }));
  }
}
