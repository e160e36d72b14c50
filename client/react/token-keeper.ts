import type { ChatTokens, GetToken } from "../index.ts";
import { afterThisTurn } from "./keep-connected.ts";

/** How `useChatToken` gets tokens. */
export interface ChatTokenOptions {
  /** Your backend's endpoint, asked with POST and the page's cookies. Default `/api/auth/chat-token`. */
  url?: string;
  /** More for that request, such as headers. */
  request?: RequestInit;
  /** Asked in place of `url`. */
  getToken?: GetToken;
}

export interface TokenState {
  /** Kept in memory only. Null until the first ones have come. */
  token: ChatTokens | null;
  isRefreshing: boolean;
  /** Why the last request failed. */
  error: Error | undefined;
}

export const NO_TOKEN: TokenState = { token: null, isRefreshing: false, error: undefined };

const DAY_SECONDS = 86_400;
const REFRESH_SHARE = 5 / 6;
const FIRST_RETRY_MS = 2_000;
const MAX_RETRY_MS = 300_000;
/** The longest that `setTimeout` can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Tokens that are fetched while somebody listens, and again at 5/6 of their life. One request at a time. */
export class TokenKeeper {
  state = NO_TOKEN;
  readonly #listeners = new Set<() => void>();
  #asking: Promise<void> | undefined;
  #abort: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #isRunning = false;
  #options: ChatTokenOptions;

  constructor(options: ChatTokenOptions) {
    this.#options = options;
  }

  /** How the next tokens are to be got. */
  use(options: ChatTokenOptions): void {
    this.#options = options;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (!this.#isRunning) {
      this.#isRunning = true;
      void this.refresh();
    }
    return () => {
      this.#listeners.delete(listener);
      afterThisTurn(() => this.#listeners.size === 0 && this.#stop());
    };
  };

  /** Asks for new tokens, or waits for those that are being asked for. What fails is told by `state.error`. */
  readonly refresh = (): Promise<void> => {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  };

  #stop(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    this.#abort?.abort();
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    const { signal } = (this.#abort = new AbortController());
    this.#become({ isRefreshing: true });
    try {
      const { getToken = (request) => fetchTokens(this.#options, request) } = this.#options;
      const token = await getToken({ signal });
      this.#failures = 0;
      this.#become({ token, isRefreshing: false, error: undefined });
      this.#later((token.expiresIn ?? DAY_SECONDS) * REFRESH_SHARE * 1_000);
    } catch (cause) {
      if (signal.aborted) return this.#ended();
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.#become({ isRefreshing: false, error });
      if (!isFinal(error)) this.#later(retryDelayMs(this.#failures++));
    }
  }

  /** Nobody waited for the answer any more; whoever came since asks anew. */
  #ended(): void {
    this.#become({ isRefreshing: false });
    this.#later(0);
  }

  #later(ms: number): void {
    if (this.#isRunning) this.#timer = setTimeout(() => void this.refresh(), Math.min(ms, MAX_TIMER_MS));
  }

  #become(change: Partial<TokenState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** Full jitter, so that a backend that comes back is not met by everybody at once. */
function retryDelayMs(failures: number): number {
  return Math.random() * Math.min(FIRST_RETRY_MS * 2 ** failures, MAX_RETRY_MS);
}

/** The same rule as for `getToken`: nobody is signed in, so asking again is of no use. */
function isFinal(error: Error): boolean {
  const { status, code } = error as { status?: unknown; code?: unknown };
  return status === 401 || status === 403 || code === "unauthorized";
}

async function fetchTokens(
  { url = "/api/auth/chat-token", request }: ChatTokenOptions,
  { signal }: { signal: AbortSignal },
) {
  const response = await fetch(url, { method: "POST", credentials: "include", ...request, signal });
  if (!response.ok)
    throw Object.assign(new Error(`Cannot get a chat token from ${url}: it answered ${response.status}`), {
      status: response.status,
    });
  const answer: unknown = await response.json();
  if (!isTokens(answer)) throw new Error(`Cannot use the answer of ${url}: it must have "token" and "wsToken"`);
  return answer;
}

function isTokens(answer: unknown): answer is ChatTokens {
  const { token, wsToken } = (answer ?? {}) as Partial<Record<"token" | "wsToken", unknown>>;
  return typeof token === "string" && typeof wsToken === "string";
}
