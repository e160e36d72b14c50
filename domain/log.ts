/**
 * One thing worth telling an operator. Only what is listed here can be logged: never content, tokens, keys, addresses or
 * anything a user wrote.
 */
export type LogEvent =
  | {
      event: "request";
      method: string;
      /** The route's pattern, never the path itself. */
      route: string;
      status: number;
      ms: number;
      requestId: string;
      userId: string | undefined;
      code: string | undefined;
    }
  | {
      event: "socket";
      did: "opened" | "closed";
      connectionId: string;
      userId: string;
      /** The room it was opened for. */
      roomId: string;
      /** What the client calls itself, cut short. */
      userAgent: string | undefined;
      /** Once it is closed: by which code, and how long it was open. */
      code?: number;
      ms?: number;
    }
  | { event: "bug"; requestId: string; route: string; error: unknown }
  /** Something a request needed did not work; the caller was told the code only. */
  | { event: "failure"; requestId: string; route: string; code: string; error: unknown }
  | { event: "problem"; part: "identity" | "limiter" | "store" | "rooms" | "driver" | "config"; reason: string };

/** Writes one line. Requests and sockets are written only when logging is on; bugs and problems always. */
export type Log = (event: LogEvent) => void;
