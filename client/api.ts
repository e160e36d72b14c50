import type { Message } from "../protocol/frames.ts";
import { ChatError, type ChatErrorCode } from "./chat-error.ts";
import { isCount, isObject, parse, readMessages } from "./frames.ts";
import { asChatError, type HeldTokens, type TokenSource } from "./tokens.ts";
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
    return this.#ask<ChannelPage>(`channels${after ? `?after=${after}` : ""}`);
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
    if (!messages) throw new ChatError("internal");
    const { next, prev } = page;
    return { messages, next: isCount(next) ? next : undefined, prev: isCount(prev) ? prev : undefined };
  }

  /** With the tokens there are, and once more with new ones when those are too old. */
  async #ask<Answer>(path: string, body?: object, isLast = false): Promise<Answer> {
    const { tokens, onUnauthorized } = this.#deps;
    const held = await tokens.take().catch((error: unknown) => {
      throw asChatError(error);
    });
    const { response, answer } = await this.#request(path, body, held);
    if (response.ok && isObject(answer)) {
      tokens.used();
      return answer as Answer; // our own server's; what must not be wrong is checked where it is used
    }
    const error = problem(response, answer);
    if (response.status !== 401) throw error;
    const canRetry = tokens.refuse(held);
    if (canRetry && !isLast) return this.#ask(path, body, true);
    if (!canRetry) onUnauthorized(error);
    throw error;
  }

  async #request(path: string, body: object | undefined, { token }: HeldTokens) {
    if (!token) throw new ChatError("token_missing");
    const { baseUrl, platform } = this.#deps;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIME_LIMIT_MS);
    try {
      const response = await platform.fetch(`${baseUrl}/v1/${path}`, {
        headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
        ...(body && { method: "POST", body: JSON.stringify(body) }),
        signal: abort.signal,
      });
      return { response, answer: parse(await response.text()) };
    } catch (error) {
      throw new ChatError("unreachable", String(error));
    } finally {
      clearTimeout(timer);
    }
  }
}

function problem({ status, headers }: Response, answer: unknown): ChatError {
  const { code, detail } = isObject(answer) ? answer : {};
  const ms = Number(headers.get("retry-after")) * 1_000;
  return new ChatError(
    (typeof code === "string" ? code : "unreachable") as ChatErrorCode, // the server's list, which may have grown
    typeof detail === "string" ? detail : `HTTP ${status}`,
    ms > 0 ? ms : undefined,
  );
}
