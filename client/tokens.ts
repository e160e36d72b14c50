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

export type TokenSource = ReturnType<typeof createTokenSource>;

/** The tokens of a client: held while they live, asked for when they do not, never twice at once. */
export function createTokenSource(
  { getToken, token, wsToken, expiresIn }: ChatClientOptions,
  { monotonicNow: now, random }: ChatPlatform,
) {
  let held: Held | undefined;
  let asking: Promise<HeldTokens> | undefined;
  let abort: AbortController | undefined;
  let refreshAt = Infinity;
  let failures = 0;

  function set(tokens: HeldTokens, bornAt: number = now()): void {
    const { exp, iat } = claimsOf(tokens.wsToken);
    const seconds = tokens.expiresIn ?? Number(exp) - Number(iat);
    const lifeMs = seconds > 0 ? seconds * 1_000 : Infinity;
    held = { tokens, endsAt: bornAt + lifeMs, isFresh: true, usedAt: Infinity };
    refreshAt = bornAt + refreshAfter(lifeMs);
  }

  /** Nobody waits for tokens any more. */
  function cancel(): void {
    abort?.abort();
  }

  /** New tokens, or those that are being asked for. */
  function ask(): Promise<HeldTokens> {
    asking ??= request().finally(() => (asking = undefined));
    return asking;
  }

  async function request(): Promise<HeldTokens> {
    if (!getToken) throw new ChatError("token_unavailable");
    abort = new AbortController();
    const { signal } = abort;
    const bornAt = now();
    const timer = setTimeout(cancel, ASK_MS);
    try {
      const ended = new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(new ChatError("token_unavailable"))),
      );
      const tokens = await Promise.race([getToken({ signal }), ended]);
      if (!JWT.test((tokens as ChatTokens | undefined)?.wsToken ?? ""))
        throw new ChatError("token_unavailable", "getToken gave no wsToken");
      failures = 0;
      set(tokens, bornAt);
      return tokens;
    } finally {
      clearTimeout(timer);
    }
  }

  if (wsToken !== undefined) set({ wsToken, token, expiresIn });

  return {
    set,
    ask,
    cancel,

    /**
     * The held tokens until it is time to refresh them, then new ones.
     *
     * @throws what `getToken` throws, unless the held ones still live
     */
    async take(): Promise<HeldTokens> {
      if (held && (!getToken || now() < refreshAt)) return held.tokens;
      try {
        return await ask();
      } catch (error) {
        if (!held || isFinal(error) || now() >= held.endsAt) throw error;
        return held.tokens;
      }
    },

    /** The server took the token, and may have said how long it will. */
    used(remainingMs = 0): void {
      if (!held) return;
      held.usedAt = Math.min(held.usedAt, now());
      if (remainingMs > 0) refreshAt = Math.min(refreshAt, now() + refreshAfter(remainingMs));
    },

    /** An attempt failed for another reason: whoever refuses the token later may be right that it is too old. */
    aged(): void {
      if (held) held.isFresh = false;
    },

    /**
     * Tokens were refused.
     *
     * @returns whether there can be others: not without `getToken`, and not when these had just been fetched
     */
    refuse(tokens: HeldTokens | undefined): boolean {
      const own = held;
      if (own?.tokens !== tokens || !own) return true; // others have taken their place
      if (!getToken) return false;
      held = undefined;
      return !own.isFresh || now() - own.usedAt > PROVEN_MS;
    },

    /** Whether it is time to refresh, and nobody does yet. */
    get isDue(): boolean {
      return !!getToken && !asking && now() >= refreshAt;
    },

    /** A refresh failed: the next one is due later. */
    postpone(retryAfterMs = 0): void {
      refreshAt = now() + Math.max(retryAfterMs, 1_000 + jitter(random, failures++));
    },
  };
}

function refreshAfter(lifeMs: number): number {
  return Math.max(lifeMs * REFRESH_SHARE, REFRESH_MIN_MS);
}

/** Whether there is no use in asking for tokens again. */
export function isFinal(error: unknown): boolean {
  const { code, status } = Object(error) as { code?: unknown; status?: unknown }; // whatever was thrown
  return code === "unauthorized" || status === 401 || status === 403;
}

/** What was thrown, as an app is told of it: with how long it wants to be left alone, if it says. */
export function asChatError(error: unknown, code: ChatErrorCode = "token_unavailable", doing = ""): ChatError {
  if (error instanceof ChatError) return error;
  const { retryAfterMs: ms } = Object(error) as { retryAfterMs?: unknown }; // whatever was thrown
  return new ChatError(code, doing + String(error), isCount(ms) && ms > 0 ? ms : undefined);
}

/** Whose tokens these are: as whoever gave them says, else as they say themselves. The server is who checks. */
export function userOf({ userId, wsToken }: Partial<HeldTokens>): string | undefined {
  const subject = userId ?? claimsOf(wsToken)["sub"];
  return typeof subject === "string" ? subject : undefined;
}

function claimsOf(token = ""): Record<string, unknown> {
  try {
    const claims = parse(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")));
    return isObject(claims) ? claims : {};
  } catch {
    return {}; // not a JWT, or a runtime without `atob`: the server says at sign-in what it is
  }
}
