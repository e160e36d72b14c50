import type { CLOSES, CloseReason } from "../protocol/errors.ts";
import type { ClientFrame, ServerFrame, ServerFrameOf } from "../protocol/frames.ts";
import { ChatError } from "./chat-error.ts";
import type { Emitter } from "./emitter.ts";
import { type LaterFrame, readFrame } from "./frames.ts";
import { jitter } from "./platform.ts";
import { asChatError, type HeldTokens, isFinal, type TokenSource } from "./tokens.ts";
import type { ChatPlatform, ClientEvents, ConnectionChange, ConnectionState } from "./types.ts";

/** What a connection asks of its client. */
export interface ConnectionHost {
  platform: ChatPlatform;
  tokens: TokenSource;
  /**
   * Where to go with these tokens; settles when everything is ready to go.
   *
   * @throws {ChatError} when these tokens must not be used
   */
  prepare(tokens: HeldTokens): Promise<string>;
  hear(frame: ServerFrame | LaterFrame): void;
  changed(change: ConnectionChange): void;
  lost(code: number): void;
  events: Emitter<ClientEvents>;
  unauthorized(error: ChatError): void;
  /** Once a second while online. */
  tick(): void;
  hidden(): void;
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
const LOST = 1006;
const OPEN = 1;

/** One socket that comes back: with full jitter, as the server wishes, and only as long as there is use in it. */
export class Connection {
  state: ConnectionState = "idle";
  readonly #host: ConnectionHost;
  #socket: WebSocket | undefined;
  #tokens: HeldTokens | undefined;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ticks: ReturnType<typeof setInterval> | undefined;
  #unwatch: (() => void) | undefined;
  #life = 0;
  #onlineAt = 0;
  #pingedAt = 0;
  #silentAt = Infinity;
  #dueAt = 0;
  #notBefore = 0;
  #isOffline = false;

  constructor(host: ConnectionHost) {
    this.#host = host;
  }

  open(): void {
    if (this.state !== "idle" && this.state !== "stopped") return;
    this.#unwatch ??= this.#host.platform.watch((event) => this.#notice(event));
    this.#failures = this.#notBefore = 0;
    void this.#attempt();
  }

  close(): void {
    this.#end({ state: "idle" });
  }

  /** There is no use in coming back. */
  stop(error: ChatError, code?: number): void {
    this.#end({ state: "stopped", error, code });
  }

  /** @returns whether the frame was handed to an open socket. It says nothing about its arrival. */
  send(frame: ClientFrame | Record<string, unknown>): boolean {
    if (this.state !== "online" || this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Takes new tokens on the open socket; without one the next attempt does. */
  renew(tokens: HeldTokens): void {
    if (!this.send({ type: "refresh", token: tokens.wsToken })) return;
    this.#tokens = tokens;
    this.#host.tokens.used();
  }

  async #attempt(): Promise<void> {
    const life = ++this.#life;
    const isOver = (): boolean => life !== this.#life;
    this.#become({ state: "connecting" });
    const { tokens: source, platform } = this.#host;
    try {
      const tokens = await source.take();
      if (isOver()) return;
      const url = await this.#host.prepare(tokens);
      if (isOver()) return;
      this.#tokens = tokens;
      this.#listen(new platform.WebSocket(url, ["chat.v1.lines", `chat.token.${tokens.wsToken}`]), isOver);
    } catch (error) {
      if (!isOver()) this.#refused(error);
    }
  }

  #listen(socket: WebSocket, isOver: () => boolean): void {
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lost(LOST), WELCOME_MS);
    // A socket that is no longer ours may still speak: only the current one is heard.
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") for (const line of data.split("\n")) if (line && !isOver()) this.#hear(line);
    };
    socket.onerror = () => {}; // a close follows
    socket.onclose = ({ code, reason }) => {
      if (!isOver()) this.#lost(code, reason);
    };
  }

  #hear(line: string): void {
    this.#silentAt = Infinity;
    const frame = readFrame(line);
    if (frame === "bad") return this.#host.events.emit("error", new ChatError("bad_frame"));
    if (!frame) return;
    if (frame.type === "welcome") this.#welcomed(frame);
    // Answered at once, because a hidden tab's timers are slowed to one a minute.
    if (frame.type === "heads") this.#ping(PONG_MS);
    if (frame.type === "error" && !frame.roomId && frame.retryAfterMs)
      this.#notBefore = this.#now() + frame.retryAfterMs;
    this.#host.hear(frame);
  }

  #welcomed({ expiresAt, serverTime }: ServerFrameOf<"welcome">): void {
    clearTimeout(this.#timer);
    this.#onlineAt = this.#pingedAt = this.#now();
    this.#notBefore = 0;
    // Both are the server's clock, so a wrong one here does not matter.
    this.#host.tokens.used(Date.parse(expiresAt) - Date.parse(serverTime));
    this.#ticks = setInterval(() => this.#tick(), TICK_MS);
    this.#become({ state: "online" });
  }

  #tick(): void {
    const now = this.#now();
    if (now >= this.#silentAt) return this.#lost(LOST);
    if (now - this.#pingedAt >= PING_MS) this.#ping(PONG_MS);
    if (this.#host.tokens.isDue) void this.#refresh();
    this.#host.tick();
  }

  async #refresh(): Promise<void> {
    const { tokens } = this.#host;
    try {
      this.renew(await tokens.ask());
    } catch (error) {
      if (this.state !== "online") return;
      if (isFinal(error)) this.#refused(error);
      else tokens.postpone(asChatError(error).retryAfterMs);
    }
  }

  #ping(patienceMs: number): void {
    this.#pingedAt = this.#now();
    if (this.send({ type: "ping" })) this.#silentAt = Math.min(this.#silentAt, this.#pingedAt + patienceMs);
  }

  #lost(code: number, reason = ""): void {
    const wasSteady = this.state === "online" && this.#now() - this.#onlineAt > STEADY_MS;
    this.#drop();
    if (wasSteady) this.#failures = 0;
    this.#host.lost(code);
    const { tokens } = this.#host;
    const isExpired = code === TOKEN_EXPIRED;
    if ((code >= 4500 && code < 5000) || (isExpired && !tokens.refuse(this.#tokens)))
      return this.#turnedAway(code, reason);
    if (!isExpired) tokens.aged();
    this.#later(code);
  }

  #turnedAway(code: number, reason: string): void {
    // The server names the reason, and may say more after a colon.
    const [name] = reason.split(":") as [CloseReason | ""]; // its list, which may have grown
    const error = new ChatError(name || "forbidden", `Closed with ${code}`);
    this.stop(error, code);
    if ([TOKEN_EXPIRED, INVALID_TOKEN, WRONG_KIND].includes(code as never)) this.#host.unauthorized(error);
  }

  /** No socket came about: for want of a token, or because the address or the token cannot be used at all. */
  #refused(error: unknown): void {
    const { code, name } = Object(error) as { code?: unknown; name?: unknown }; // whatever was thrown
    const isOver = isFinal(error);
    // A SyntaxError is what `new WebSocket` says of an address or a token that is none.
    const isBad = code === "bad_claims" || name === "SyntaxError";
    const told = asChatError(error, isOver ? "unauthorized" : isBad ? "bad_request" : undefined);
    if (isOver || isBad) this.stop(told);
    if (isOver) return this.#host.unauthorized(told);
    if (isBad) return;
    this.#host.events.emit("error", told);
    this.#later(undefined, told.retryAfterMs);
  }

  #later(code?: number, wishMs = 0): void {
    if (this.#isOffline) return this.#become({ state: "offline", code });
    const now = this.#now();
    const wish = Math.max(wishMs, this.#notBefore - now, code === RATE_LIMITED ? FLOODED_MS : 0);
    // Those who are told the same time must not come back at the same time.
    this.#wait(jitter(this.#host.platform.random, this.#failures++) + wish, code);
    this.#notBefore = now + wish;
  }

  #wait(retryInMs: number, code?: number): void {
    clearTimeout(this.#timer);
    this.#dueAt = this.#now() + retryInMs;
    this.#timer = setTimeout(() => void this.#attempt(), Math.min(retryInMs, TIMER_MAX_MS));
    this.#become({ state: "waiting", retryInMs, code, attempt: this.#failures });
  }

  #notice(event: "online" | "offline" | "visible" | "hidden"): void {
    if (event === "hidden") return this.#host.hidden();
    if (event !== "visible") this.#isOffline = event === "offline";
    if (this.state === "online") return this.#ping(PROBE_MS);
    if (event !== "offline") return this.#hurry(event === "online" ? SPREAD_MS : SEEN_SPREAD_MS);
    if (this.state !== "waiting") return;
    clearTimeout(this.#timer);
    this.#become({ state: "offline" });
  }

  /** The wait may be over sooner, but still not for everybody at once. */
  #hurry(spreadMs: number): void {
    const now = this.#now();
    const delay = Math.max(0, this.#notBefore - now) + this.#host.platform.random() * spreadMs;
    if (this.state === "offline" || (this.state === "waiting" && now + delay < this.#dueAt)) this.#wait(delay);
  }

  #end(change: ConnectionChange): void {
    this.#drop(1000);
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#isOffline = false;
    this.#host.tokens.cancel();
    if (this.state !== change.state || change.error) this.#become(change);
  }

  #drop(code?: number): void {
    this.#life++;
    clearTimeout(this.#timer);
    clearInterval(this.#ticks);
    this.#silentAt = Infinity;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(code);
  }

  #become(change: ConnectionChange): void {
    this.state = change.state;
    this.#host.changed(change);
  }

  #now(): number {
    return this.#host.platform.monotonicNow();
  }
}

// Of the table only what matters here, because it would be a thirtieth of the client. The types hold the numbers.
const TOKEN_EXPIRED: (typeof CLOSES)["token_expired"] = 4001;
const RATE_LIMITED: (typeof CLOSES)["rate_limited"] = 4029;
const INVALID_TOKEN: (typeof CLOSES)["invalid_token"] = 4500;
const WRONG_KIND: (typeof CLOSES)["wrong_token_kind"] = 4502;
