import type { CloseReason, ErrorCode } from "../protocol/errors.ts";

/**
 * What can go wrong for an app: the server's codes, how a socket was closed, and the client's own.
 *
 * `token_unavailable`: there is no token to be had just now. `unauthorized`: thrown by `getToken`, there will be none.
 * `unreachable`: no answer over HTTP. `discarded`: the app took the message back. `stopped`: `disconnect()` was called.
 */
export type ChatErrorCode =
  | ErrorCode
  | CloseReason
  | "token_unavailable"
  | "unauthorized"
  | "unreachable"
  | "discarded"
  | "stopped";

/** The only error this client rejects with. Branch on `code`, never on the text. */
export class ChatError extends Error {
  declare readonly code: ChatErrorCode;
  /** How long to wait before trying again, where the server has said so. */
  declare readonly retryAfterMs: number | undefined;

  constructor(code: ChatErrorCode, message: string = code, retryAfterMs?: number) {
    super(message);
    this.name = "ChatError";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
