import type { Channel, ChannelPage, CreateChannelRequest, RoomPresence } from "../protocol/http.ts";
import type { Message } from "../protocol/frames.ts";
import { ChatError, type ChatErrorCode } from "./chat-error.ts";
import { isCount, isObject, parse, readMessages } from "./frames.ts";
import type { HeldTokens, TokenSource } from "./tokens.ts";
import type { ChatPlatform } from "./types.ts";

/** A page of history, ascending; `next` and `prev` as in `GET /v1/channels/{id}/messages`. */
export interface Page {
  messages: Message[];
  next: number | null;
  prev: number | null;
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
    return this.#ask<ChannelPage>(after === undefined ? "channels" : `channels?after=${after}`);
  }

  channel(id: string): Promise<Channel> {
    return this.#ask<Channel>(`channels/${id}`);
  }

  createChannel(request: CreateChannelRequest): Promise<Channel> {
    return this.#ask<Channel>("channels", request);
  }

  presence(roomId: string): Promise<RoomPresence> {
    return this.#ask<RoomPresence>(`presence?roomId=${roomId}`);
  }

  async history(roomId: string, range: string): Promise<Page> {
    const page = await this.#ask<Partial<Page>>(`channels/${roomId}/messages?${range}`);
    const messages = readMessages(page);
    if (messages === undefined) throw new ChatError("internal", "That is no page of history");
    const { next, prev } = page;
    return { messages, next: isCount(next) ? next : null, prev: isCount(prev) ? prev : null };
  }

  async #ask<Answer>(path: string, body?: object): Promise<Answer> {
    const { tokens } = this.#deps;
    const first = await this.#take();
    try {
      return await this.#request<Answer>(path, body, first);
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      if (!tokens.refuse(first)) return this.#giveUp(error);
    }
    const second = await this.#take();
    try {
      return await this.#request<Answer>(path, body, second);
    } catch (error) {
      if (isUnauthorized(error) && !tokens.refuse(second)) return this.#giveUp(error);
      throw error;
    }
  }

  async #take(): Promise<HeldTokens> {
    try {
      return await this.#deps.tokens.take();
    } catch (error) {
      throw error instanceof ChatError ? error : new ChatError("token_unavailable", String(error));
    }
  }

  #giveUp(error: ChatError): never {
    this.#deps.onUnauthorized(error);
    throw error;
  }

  async #request<Answer>(path: string, body: object | undefined, { token }: HeldTokens): Promise<Answer> {
    if (token === undefined) throw new ChatError("token_missing", "There is only a wsToken, and this is HTTP");
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIME_LIMIT_MS);
    try {
      const { ok, status, headers, text } = await this.#exchange(path, body, token, abort.signal);
      const answer = parse(text);
      if (ok && isObject(answer)) {
        this.#deps.tokens.used();
        return answer as Answer; // our own server's; what must not be wrong is checked where it is used
      }
      throw problem(status, answer, Number(headers.get("retry-after")));
    } finally {
      clearTimeout(timer);
    }
  }

  async #exchange(path: string, body: object | undefined, token: string, signal: AbortSignal) {
    const { baseUrl, platform } = this.#deps;
    try {
      const response = await platform.fetch(`${baseUrl}/v1/${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        signal,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const { ok, status, headers } = response;
      return { ok, status, headers, text: await response.text() };
    } catch (error) {
      throw new ChatError("unreachable", `No answer from ${baseUrl}: ${String(error)}`);
    }
  }
}

function isUnauthorized(error: unknown): error is ChatError {
  return error instanceof ChatError && error.name === UNAUTHORIZED;
}

const UNAUTHORIZED = "ChatError 401";

function problem(status: number, answer: unknown, seconds: number): ChatError {
  const { code, detail } = isObject(answer) ? answer : {};
  const error = new ChatError(
    (typeof code === "string" ? code : "unreachable") as ChatErrorCode, // the server's list, which may have grown
    typeof detail === "string" ? detail : `The server answered ${status}`,
    seconds > 0 ? seconds * 1_000 : undefined,
  );
  if (status === 401) error.name = UNAUTHORIZED;
  return error;
}
