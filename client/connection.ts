import type { CloseReason } from "../protocol/errors.ts";
import type { ClientFrame, ServerFrame, ServerFrameOf } from "../protocol/frames.ts";
import { ChatError } from "./chat-error.ts";
import { FINAL, LOST, RATE_LIMITED, SIGN_IN, TOKEN_EXPIRED } from "./codes.ts";
import { type LaterFrame, readFrame } from "./frames.ts";
import { defer, type Deferred, jitter } from "./platform.ts";
import type { RoomHost } from "./room-inside.ts";
import { asChatError, type HeldTokens, isFinal, type TokenSource } from "./tokens.ts";
import type { ConnectionChange, SocketLike } from "./types.ts";

/** What a connection asks of its client. */
export interface ConnectionHost {
  host: RoomHost;
  tokens: TokenSource;
  /**
   * Where to go with these tokens; settles when everything is ready to go.
   *
   * @throws what makes it useless to go there
   */
  prepare: (tokens: HeldTokens) => Promise<string>;
  welcomed: (frame: ServerFrameOf<"welcome">) => void;
  hear: (frame: ServerFrame | LaterFrame) => void;
  /** There is no socket any more. */
  lost: () => void;
  /** Once a second while online. */
  tick: () => void;
}

const WELCOME_MS = 15_000;
const TICK_MS = 1_000;
const PING_MS = 20_000;
/** How long a pong may take; less for one that is asked because something has happened to the network. */
const PONG_MS = 10_000;
const PROBE_MS = 5_000;
/** A connection that lasted this long was a success; one that ends sooner makes the next wait longer. */
const STEADY_MS = 10_000;
const SPREAD_MS = 2_000;
const SEEN_SPREAD_MS = 500;
const FLOODED_MS = 10_000;
/** What is longer, a timer takes for nothing. */
const TIMER_MAX_MS = 2 ** 31 - 1;
const OPEN = 1;

/** One socket that comes back: with full jitter, as the server wishes, and only as long as there is use in it. */
export function createConnection({ host, tokens, prepare, welcomed, hear, lost, tick }: ConnectionHost) {
  const { platform, events } = host;
  const { monotonicNow: now, random } = platform;
  let change: ConnectionChange = { state: "idle" };
  let connecting: Deferred<void> | undefined;
  let socket: SocketLike | undefined;
  let held: HeldTokens | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ticks: ReturnType<typeof setInterval> | undefined;
  let unwatch: (() => void) | undefined;
  let failures = 0;
  let life = 0;
  let onlineAt = 0;
  let pingedAt = 0;
  let silentAt = Infinity;
  let dueAt = 0;
  let notBefore = 0;
  let isOffline = false;
  let isToldUnauthorized = false;

  function become(next: ConnectionChange): void {
    change = next;
    events.emit("connection", next);
    const over = next.state === "idle" ? new ChatError("stopped") : next.error;
    if (!over) return;
    connecting?.reject(over);
    connecting = undefined;
  }

  function open(): Promise<void> {
    if (change.state === "online") return Promise.resolve();
    connecting ??= defer();
    const { promise } = connecting;
    isToldUnauthorized = false;
    if (!/idle|stopped/.test(change.state)) return promise;
    unwatch ??= platform.watch(notice);
    failures = notBefore = 0;
    void attempt();
    return promise;
  }

  function end(next: ConnectionChange): void {
    drop(1000);
    unwatch?.();
    unwatch = undefined;
    isOffline = false;
    tokens.cancel();
    if (change.state !== next.state || next.error) become(next);
  }

  /** There is no use in coming back. */
  function stop(error: ChatError, code?: number): void {
    end({ state: "stopped", error, code });
  }

  /** There is none without other tokens. */
  function unauthorized(error: ChatError, code?: number): void {
    stop(error, code);
    if (isToldUnauthorized) return;
    isToldUnauthorized = true;
    events.emit("unauthorized", { error });
  }

  function send(frame: ClientFrame | Record<string, unknown>): boolean {
    if (change.state !== "online" || socket?.readyState !== OPEN) return false;
    socket.send(JSON.stringify(frame));
    return true;
  }

  /** Takes new tokens on the open socket; without one the next attempt does. */
  function renew(fresh: HeldTokens): void {
    if (!send({ type: "refresh", token: fresh.wsToken })) return;
    held = fresh;
    tokens.used();
  }

  // Getting a socket.

  async function attempt(): Promise<void> {
    const own = ++life;
    const isOver = (): boolean => own !== life;
    become({ state: "connecting" });
    const fresh = await tokens.take().catch((error: unknown) => {
      if (!isOver()) refused(error);
    });
    if (!fresh || isOver()) return;
    let url = "";
    try {
      url = await prepare(fresh);
      if (isOver()) return;
      held = fresh;
      listen(new platform.WebSocket(url, ["chat.v1.lines", `chat.token.${fresh.wsToken}`]), isOver);
    } catch (error) {
      // No network has been asked yet: it is the address or the token that cannot be used, now or later.
      if (!isOver()) stop(asChatError(error, "bad_request", `Cannot connect to "${url}": `));
    }
  }

  function listen(own: SocketLike, isOver: () => boolean): void {
    socket = own;
    timer = setTimeout(() => over(LOST), WELCOME_MS);
    // A socket that is no longer ours may still speak: only the current one is heard.
    own.onmessage = ({ data }) => {
      for (const line of String(data).split("\n")) if (line && !isOver()) take(line);
    };
    own.onerror = () => {}; // a close follows
    own.onclose = ({ code, reason }) => {
      if (!isOver()) over(code, reason);
    };
  }

  function take(line: string): void {
    silentAt = Infinity;
    const frame = readFrame(line);
    if (frame === "bad") return events.emit("error", new ChatError("bad_frame"));
    if (!frame) return;
    if (frame.type === "welcome") return begin(frame);
    // Answered at once, because a hidden tab's timers are slowed to one a minute.
    if (frame.type === "heads") ping(PONG_MS);
    if (frame.type === "error" && !frame.roomId && frame.retryAfterMs) notBefore = now() + frame.retryAfterMs;
    hear(frame);
  }

  function begin(frame: ServerFrameOf<"welcome">): void {
    clearTimeout(timer);
    onlineAt = pingedAt = now();
    notBefore = 0;
    // Both are the server's clock, so a wrong one here does not matter.
    tokens.used(Date.parse(frame.expiresAt) - Date.parse(frame.serverTime));
    ticks = setInterval(beat, TICK_MS);
    become({ state: "online" });
    welcomed(frame);
    connecting?.resolve();
    connecting = undefined;
  }

  function beat(): void {
    if (now() >= silentAt) return over(LOST);
    if (now() - pingedAt >= PING_MS) ping(PONG_MS);
    if (tokens.isDue) void refresh();
    tick();
  }

  async function refresh(): Promise<void> {
    try {
      renew(await tokens.ask());
    } catch (error) {
      if (change.state !== "online") return;
      if (isFinal(error)) refused(error);
      else tokens.postpone(asChatError(error).retryAfterMs);
    }
  }

  function ping(patienceMs: number): void {
    pingedAt = now();
    if (send({ type: "ping" })) silentAt = Math.min(silentAt, pingedAt + patienceMs);
  }

  // Losing it.

  function drop(code?: number): void {
    life++;
    clearTimeout(timer);
    clearInterval(ticks);
    silentAt = Infinity;
    const own = socket;
    socket = undefined;
    own?.close(code);
    lost();
  }

  function over(code: number, reason = ""): void {
    if (change.state === "online" && now() - onlineAt > STEADY_MS) failures = 0;
    drop();
    events.emit("close", { code });
    const isExpired = code === TOKEN_EXPIRED;
    if (code >= FINAL || (isExpired && !tokens.refuse(held))) return turnedAway(code, reason);
    if (!isExpired) tokens.aged();
    later(code);
  }

  function turnedAway(code: number, reason: string): void {
    // The server names the reason, and may say more after a colon.
    const [name] = reason.split(":") as [CloseReason | ""]; // its list, which may have grown
    const error = new ChatError(name || "forbidden");
    if (SIGN_IN.includes(code)) unauthorized(error, code);
    else stop(error, code);
  }

  /** There is no token to be had, now or at all. */
  function refused(error: unknown): void {
    if (isFinal(error)) return unauthorized(asChatError(error, "unauthorized"));
    const told = asChatError(error);
    events.emit("error", told);
    later(undefined, told.retryAfterMs);
  }

  // Coming back.

  function later(code?: number, wishMs = 0): void {
    if (isOffline) return become({ state: "offline", code });
    const wish = Math.max(wishMs, notBefore - now(), code === RATE_LIMITED ? FLOODED_MS : 0);
    notBefore = now() + wish;
    // Those who are told the same time must not come back at the same time.
    wait(jitter(random, failures++) + wish, code);
  }

  function wait(retryInMs: number, code?: number): void {
    clearTimeout(timer);
    dueAt = now() + retryInMs;
    timer = setTimeout(() => void attempt(), Math.min(retryInMs, TIMER_MAX_MS));
    become({ state: "waiting", retryInMs, code, attempt: failures });
  }

  function notice(event: "online" | "offline" | "visible" | "hidden"): void {
    const { state } = change;
    if (event === "hidden") return host.kept?.flush();
    if (event !== "visible") isOffline = event === "offline";
    if (state === "online") return ping(PROBE_MS);
    if (event !== "offline") return hurry(event === "online" ? SPREAD_MS : SEEN_SPREAD_MS);
    if (state !== "waiting") return;
    clearTimeout(timer);
    become({ state: "offline" });
  }

  /** The wait may be over sooner, but still not for everybody at once. */
  function hurry(spreadMs: number): void {
    const { state } = change;
    const delay = Math.max(0, notBefore - now()) + random() * spreadMs;
    if (state === "offline" || (state === "waiting" && now() + delay < dueAt)) wait(delay);
  }

  return {
    get change() {
      return change;
    },
    open,
    stop,
    unauthorized,
    send,

    close(): void {
      end({ state: "idle" });
    },

    /** The app has other tokens. */
    renewed(fresh: HeldTokens): void {
      const isWaited = isToldUnauthorized && change.state === "stopped";
      isToldUnauthorized = false;
      renew(fresh);
      if (isWaited) void open();
    },
  };
}
