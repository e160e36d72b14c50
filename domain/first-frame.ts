import { ChatError } from "../protocol/errors.ts";
import { AuthFrame } from "../protocol/frames.ts";
import { parseJson } from "../protocol/json.ts";
import { LIMITS, TIMES } from "../protocol/limits.ts";
import { closeQuietly, closeWith, type ServerSocket } from "./sockets.ts";

/** What a client did between its first frame and the moment somebody took the socket over. */
export interface Early {
  messages: unknown[];
  /** The client has gone; there will be no close event. */
  closed: boolean;
}

/** A socket whose token came as first frame. What follows is kept until `handOver` is called, once. */
export interface Waiting {
  token: string;
  handOver(): Early;
}

const EARLY_MESSAGES_MAX = 64;

/**
 * Waits for `{type:"auth", token}` as first frame of a socket just accepted.
 *
 * @throws {ChatError} `token_missing` after `timeoutMs` or when the client goes, `bad_frame` for any other first frame.
 */
export function awaitAuthFrame(socket: ServerSocket, timeoutMs: number = TIMES.authFrameMs): Promise<Waiting> {
  const early: Early = { messages: [], closed: false };
  let handedOver = false;
  let authenticated = false;
  return new Promise((resolve, reject) => {
    const refuse = (code: "token_missing" | "bad_frame", detail: string): void => {
      clearTimeout(timer);
      authenticated = true; // nobody listens any more
      reject(new ChatError(code, { detail }));
    };
    const timer = setTimeout(() => refuse("token_missing", "No auth frame in time"), timeoutMs);
    socket.addEventListener("message", ({ data }) => {
      if (handedOver || early.closed) return;
      if (authenticated) {
        keepEarly(socket, early, data);
        return;
      }
      const token = readAuthFrame(socket, data);
      if (token === undefined) return refuse("bad_frame", "The first frame must be auth");
      clearTimeout(timer);
      authenticated = true;
      resolve({
        token,
        handOver: () => {
          handedOver = true;
          return early;
        },
      });
    });
    socket.addEventListener("close", ({ code }) => {
      if (handedOver) return;
      early.closed = true;
      closeQuietly(socket, code);
      if (!authenticated) refuse("token_missing", "Closed before the auth frame");
    });
    socket.addEventListener("error", () => {
      early.closed = true;
      if (!authenticated) refuse("token_missing", "Broken before the auth frame");
    });
  });
}

function keepEarly(socket: ServerSocket, early: Early, data: unknown): void {
  const tooBig = typeof data === "string" && data.length > LIMITS.frameMaxBytes;
  if (!tooBig && early.messages.push(data) <= EARLY_MESSAGES_MAX) return;
  early.closed = true;
  closeWith(socket, tooBig ? "frame_too_big" : "rate_limited");
}

function readAuthFrame(socket: ServerSocket, data: unknown): string | undefined {
  if (typeof data !== "string") {
    closeWith(socket, "unsupported_data");
    return undefined;
  }
  if (data.length > LIMITS.frameMaxBytes) {
    closeWith(socket, "frame_too_big");
    return undefined;
  }
  const parsed = AuthFrame.safeParse(parseJson(data.trim()));
  return parsed.success ? parsed.data.token : undefined;
}
