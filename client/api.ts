import type { Message } from "../protocol/frames.ts";
import { ChatError, type ChatErrorCode } from "./chat-error.ts";
import { isCount, isObject, parse, readMessages } from "./frames.ts";
import type { HeldTokens, TokenSource } from "./tokens.ts";
import type { Channel, ChannelPage, ChatPlatform, NewChannel, RoomPresence } from "./types.ts";

/** A page of history, ascending; `next` and `prev` as in `GET /v1/channels/{id}/messages`. */
export interface Page {
  messages: Message[];
  next: number | undefined;
  prev: number | undefined;
}

const TIME_LIMIT_MS = 15_000;

export interface ApiDeps {
  platform: ChatPlatform;
  tokens: TokenSource;
  /** Where the HTTP interface is, without a slash at the end. */
  baseUrl: string;
  /** Tokens were refused, and there are no others to be had. */
  onUnauthorized: (error: ChatError) => void;
}

/** The HTTP interface, for a client that has tokens. Everything rejects with a `ChatError`. */
export class Api {
  readonly #deps: ApiDeps;

  constructor(deps: ApiDeps) {
    this.#deps = deps;
  }

  channels(after?: string): Promise<ChannelPage> {
    return this.#ask<ChannelPage>(`channels${after === undefined ? "" : `?after=${after}`}`);
  }

  channel(id: string): Promise<Channel> {
    return this.#ask<Channel>(`channels/${id}`);
  }

  createChannel(request: NewChannel): Promise<Channel> {
    return this.#ask<Channel>("channels", request);
  }

  presence(roomId: string): Promise<RoomPresence> {
    return this.#ask<RoomPresence>(`presence?roomId=${roomId}`);
  }

  async history(roomId: string, range: string): Promise<Page> {
    const page = await this.#ask<Record<string, unknown>>(`channels/${roomId}/messages?${range}`);
    const messages = readMessages(page);
    if (messages === undefined) throw new ChatError("internal");
    const { next, prev } = page;
    return { messages, next: isCount(next) ? next : undefined, prev: isCount(prev) ? prev : undefined };
  }

  /** With the tokens there are, and once more with new ones when those are too old. */
  async #ask<Answer>(path: string, body?: object, isLast = false): Promise<Answer> {
    const { tokens, onUnauthorized } = this.#deps;
    const held = await tokens.take().catch((error: unknown) => {
      throw error instanceof ChatError ? error : new ChatError("token_unavailable", String(error));
    });
    const { status, headers, text } = await this.#request(path, body, held);
    const answer = parse(text);
    if (status < 300 && isObject(answer)) {
      tokens.used();
      return answer as Answer; // our own server's; what must not be wrong is checked where it is used
    }
    const error = problem(status, answer, Number(headers.get("retry-after")));
    if (status !== 401) throw error;
    const canRetry = tokens.refuse(held);
    if (canRetry && !isLast) return this.#ask(path, body, true);
    if (!canRetry) onUnauthorized(error);
    throw error;
  }

  async #request(path: string, body: object | undefined, { token }: HeldTokens) {
    if (token === undefined) throw new ChatError("token_missing", "There is no token for HTTP");
    const { baseUrl, platform } = this.#deps;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIME_LIMIT_MS);
    try {
      const response = await platform.fetch(`${baseUrl}/v1/${path}`, {
        method: body ? "POST" : "GET",
        headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
        body: body ? JSON.stringify(body) : null,
        signal: abort.signal,
      });
      const { status, headers } = response;
      return { status, headers, text: await response.text() };
    } catch (error) {
      throw new ChatError("unreachable", String(error));
    } finally {
      clearTimeout(timer);
    }
  }
}

function problem(status: number, answer: unknown, seconds: number): ChatError {
  const { code, detail } = isObject(answer) ? answer : {};
  return new ChatError(
    (typeof code === "string" ? code : "unreachable") as ChatErrorCode, // the server's list, which may have grown
    typeof detail === "string" ? detail : `The server answered ${status}`,
    seconds > 0 ? seconds * 1_000 : undefined,
  );
}
