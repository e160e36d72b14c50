import { ChatError, type ChatErrorCode } from "./chat-error.ts";
import { isCount, isObject, parse } from "./frames.ts";
import { jitter } from "./platform.ts";
import type { ChatClientOptions, ChatPlatform, ChatTokens } from "./types.ts";

/** Tokens with what is known of their life. `token` may be missing where only a `wsToken` was given. */
export type HeldTokens = Omit<ChatTokens, "token"> & { token?: string | undefined };

interface Held {
  tokens: HeldTokens;
  endsAt: number;
  /** Nobody has accepted it yet, nor has there been another reason why it was of no use. */
  isFresh: boolean;
  /** When it was given to a socket that did not refuse it. */
  usedAt: number;
}

const ASK_MS = 30_000;
/** A token that is refused this soon after it was accepted was never really accepted. */
const PROVEN_MS = 5_000;
const REFRESH_SHARE = 5 / 6;
/** What can be one, and be offered as a subprotocol. */
const JWT = /^[\w.-]+$/;
/** Tokens that live shorter than this are the server's mistake: asking for others all the time would not mend it. */
const REFRESH_MIN_MS = 5_000;

/** The tokens of a client: held while they live, asked for when they do not, never twice at once. */
export class TokenSource {
  readonly #getToken: ChatClientOptions["getToken"];
  readonly #platform: ChatPlatform;
  #held: Held | undefined;
  #asking: Promise<HeldTokens> | undefined;
  #abort: AbortController | undefined;
  #refreshAt = Infinity;
  #failures = 0;

  constructor({ getToken, token, wsToken, expiresIn }: ChatClientOptions, platform: ChatPlatform) {
    this.#getToken = getToken;
    this.#platform = platform;
    if (wsToken !== undefined) this.set({ wsToken, token, expiresIn });
  }

  get current(): HeldTokens | undefined {
    return this.#held?.tokens;
  }

  set(tokens: HeldTokens, bornAt: number = this.#platform.monotonicNow()): void {
    const { exp, iat } = claimsOf(tokens.wsToken);
    const seconds = tokens.expiresIn ?? Number(exp) - Number(iat);
    const lifeMs = seconds > 0 ? seconds * 1_000 : Infinity;
    this.#held = { tokens, endsAt: bornAt + lifeMs, isFresh: true, usedAt: Infinity };
    this.#refreshAt = bornAt + refreshAfter(lifeMs);
  }

  /**
   * The held tokens until it is time to refresh them, then new ones.
   *
   * @throws what `getToken` throws, unless the held ones still live
   */
  async take(): Promise<HeldTokens> {
    const { monotonicNow } = this.#platform;
    if (this.#held && (!this.#getToken || monotonicNow() < this.#refreshAt)) return this.#held.tokens;
    try {
      return await this.ask();
    } catch (error) {
      if (!this.#held || isFinal(error) || monotonicNow() >= this.#held.endsAt) throw error;
      return this.#held.tokens;
    }
  }

  /** New tokens, or those that are being asked for. */
  ask(): Promise<HeldTokens> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  /** The server took the token, and may have said how long it will. */
  used(remainingMs = 0): void {
    const now = this.#platform.monotonicNow();
    if (!this.#held) return;
    this.#held.usedAt = Math.min(this.#held.usedAt, now);
    if (remainingMs > 0) this.#refreshAt = Math.min(this.#refreshAt, now + refreshAfter(remainingMs));
  }

  /** An attempt failed for another reason: whoever refuses the token later may be right that it is too old. */
  aged(): void {
    if (this.#held) this.#held.isFresh = false;
  }

  /**
   * Tokens were refused.
   *
   * @returns whether there can be others: not without `getToken`, and not when these had just been fetched
   */
  refuse(tokens: HeldTokens | undefined): boolean {
    const held = this.#held;
    if (!held || held.tokens !== tokens) return true; // others have taken their place
    if (!this.#getToken) return false;
    this.#held = undefined;
    return !held.isFresh || this.#platform.monotonicNow() - held.usedAt > PROVEN_MS;
  }

  /** Whether it is time to refresh, and nobody does yet. */
  get isDue(): boolean {
    return !!this.#getToken && !this.#asking && this.#platform.monotonicNow() >= this.#refreshAt;
  }

  /** A refresh failed: the next one is due later. */
  postpone(retryAfterMs = 0): void {
    const { monotonicNow, random } = this.#platform;
    this.#refreshAt = monotonicNow() + Math.max(retryAfterMs, 1_000 + jitter(random, this.#failures++));
  }

  /** Nobody waits for tokens any more. */
  cancel(): void {
    this.#abort?.abort();
  }

  async #ask(): Promise<HeldTokens> {
    if (!this.#getToken) throw new ChatError("token_unavailable");
    const abort = (this.#abort = new AbortController());
    const { signal } = abort;
    const bornAt = this.#platform.monotonicNow();
    const timer = setTimeout(() => abort.abort(), ASK_MS);
    try {
      const ended = new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(new ChatError("token_unavailable"))),
      );
      const tokens = await Promise.race([this.#getToken({ signal }), ended]);
      if (!JWT.test((tokens as ChatTokens | undefined)?.wsToken ?? ""))
        throw new ChatError("token_unavailable", "getToken gave no wsToken");
      this.#failures = 0;
      this.set(tokens, bornAt);
      return tokens;
    } finally {
      clearTimeout(timer);
    }
  }
}

function refreshAfter(lifeMs: number): number {
  return Math.max(lifeMs * REFRESH_SHARE, REFRESH_MIN_MS);
}

/** Whether there is no use in asking for tokens again. */
export function isFinal(error: unknown): boolean {
  return isObject(error) && (error["code"] === "unauthorized" || error["status"] === 401 || error["status"] === 403);
}

/** What was thrown, as an app is told of it: with how long it wants to be left alone, if it says. */
export function asChatError(error: unknown, code: ChatErrorCode = "token_unavailable"): ChatError {
  if (error instanceof ChatError) return error;
  const ms = isObject(error) ? error["retryAfterMs"] : 0;
  return new ChatError(code, String(error), isCount(ms) && ms > 0 ? ms : undefined);
}

/** Whose tokens these are: as whoever gave them says, else as they say themselves. The server is who checks. */
export function userOf({ userId, wsToken }: HeldTokens): string | undefined {
  const subject = userId ?? claimsOf(wsToken)["sub"];
  return typeof subject === "string" ? subject : undefined;
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    const claims = parse(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")));
    return isObject(claims) ? claims : {};
  } catch {
    return {}; // not a JWT, or a runtime without `atob`: the server says at sign-in what it is
  }
}
