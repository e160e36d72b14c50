import { SignJWT } from "jose";
import * as z from "zod/mini";
import type { Settings } from "../domain/config.ts";
import type { Now } from "../domain/ports/clock.ts";
import { ChatError } from "../protocol/errors.ts";

export interface StreamClientDeps {
  settings: Pick<Settings, "STREAM_API_KEY" | "STREAM_API_SECRET" | "STREAM_CHAT_BASE_URL" | "STREAM_CHAT_TIMEOUT">;
  fetch: typeof fetch;
  now: Now;
}

/** Asks Stream's REST API in the name of the app. */
export interface StreamClient {
  /** What is asked for stands in the address, as `payload`. */
  get<Answer>(schema: z.ZodMiniType<Answer>, path: string, payload: unknown): Promise<Answer>;
  post<Answer>(schema: z.ZodMiniType<Answer>, path: string, body: unknown): Promise<Answer>;
}

const SERVER_TOKEN_SECONDS = 60;

const utf8 = new TextEncoder();

/**
 * A client for what one caller of ours waits for: one time limit for all its requests. They name the app by `api_key` and
 * say `Stream-Auth-Type: jwt`; the token carries neither user nor rights but `server: true`.
 *
 * @throws {ChatError} from its requests: `bad_request` for what Stream refuses, else `driver_unavailable`
 */
export async function createStreamClient({ settings, fetch, now }: StreamClientDeps): Promise<StreamClient> {
  const { STREAM_API_KEY: apiKey = "", STREAM_API_SECRET: secret = "", STREAM_CHAT_BASE_URL } = settings;
  const signal = AbortSignal.timeout(settings.STREAM_CHAT_TIMEOUT);
  const token = await new SignJWT({ server: true })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setExpirationTime(Math.floor(now() / 1_000) + SERVER_TOKEN_SECONDS)
    .sign(utf8.encode(secret));
  const base = STREAM_CHAT_BASE_URL.replace(/\/+$/, "");
  const headers = { authorization: token, "stream-auth-type": "jwt", "content-type": "application/json" };
  const ask = async <Answer>(
    schema: z.ZodMiniType<Answer>,
    path: string,
    query: Record<string, string>,
    init: RequestInit,
  ): Promise<Answer> => {
    try {
      const address = `${base}${path}?${new URLSearchParams({ api_key: apiKey, ...query })}`;
      const response = await fetch(address, { ...init, headers, redirect: "manual", signal });
      if (response.status === 400)
        throw new ChatError("bad_request", { detail: "The chat provider refuses that channel" });
      if (!response.ok) throw new Error(`the chat provider answered ${response.status}`);
      return z.parse(schema, await response.json());
    } catch (cause) {
      throw cause instanceof ChatError ? cause : new ChatError("driver_unavailable", { cause });
    }
  };
  return {
    get: (schema, path, payload) => ask(schema, path, { payload: JSON.stringify(payload) }, { method: "GET" }),
    post: (schema, path, body) => ask(schema, path, {}, { method: "POST", body: JSON.stringify(body) }),
  };
}
