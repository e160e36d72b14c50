import { ChatError, type ChatErrorCode } from "./chat-error.ts";
import { isObject } from "./frames.ts";
import { asChatError, type HeldTokens, type TokenSource } from "./tokens.ts";
import type { ChatPlatform } from "./types.ts";

const TIME_LIMIT_MS = 15_000;

export interface ApiDeps {
  platform: ChatPlatform;
  tokens: TokenSource;
  /** Where the HTTP interface is, without a slash at the end. */
  baseUrl: string;
  /** Tokens were refused, and there are no others to be had. */
  unauthorized: (error: ChatError) => void;
}

/**
 * Asks the HTTP interface, with a `body` by POST: with the tokens there are, and once more with new ones when those are too
 * old. Rejects with a `ChatError`.
 */
export type Api = <Answer>(path: string, body?: object) => Promise<Answer>;

export function createApi({ platform, tokens, baseUrl, unauthorized }: ApiDeps): Api {
  async function ask<Answer>(path: string, body?: object, isLast = false): Promise<Answer> {
    const held = await tokens.take().catch((error: unknown) => {
      throw asChatError(error);
    });
    const { response, answer } = await request(path, body, held);
    if (response.ok && isObject(answer)) {
      tokens.used();
      return answer as Answer; // our own server's; what must not be wrong is checked where it is used
    }
    const error = problem(response, answer);
    if (response.status !== 401) throw error;
    const canRetry = tokens.refuse(held);
    if (canRetry && !isLast) return ask(path, body, true);
    // A server whose clock has been set back says nothing about the user: the socket goes on.
    if (!canRetry && error.code !== "token_not_yet_valid") unauthorized(error);
    throw error;
  }

  async function request(path: string, body: object | undefined, { token }: HeldTokens) {
    if (!token) throw new ChatError("token_missing");
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIME_LIMIT_MS);
    try {
      const response = await platform.fetch(`${baseUrl}/v1/${path}`, {
        headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
        ...(body && { method: "POST", body: JSON.stringify(body) }),
        signal: abort.signal,
      });
      return { response, answer: (await response.json().catch(() => undefined)) as unknown };
    } catch (error) {
      throw new ChatError("unreachable", String(error));
    } finally {
      clearTimeout(timer);
    }
  }

  return (path, body) => ask(path, body);
}

function problem({ status, headers }: Response, answer: unknown): ChatError {
  const { code, detail } = isObject(answer) ? answer : {};
  const ms = Number(headers.get("retry-after")) * 1_000;
  return new ChatError(
    (code ?? "unreachable") as ChatErrorCode, // the server's list, which may have grown
    (detail ?? `HTTP ${status}`) as string, // as the server's errors always have
    ms > 0 ? ms : undefined,
  );
}
