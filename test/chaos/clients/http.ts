import * as z from "zod/mini";
import { parseJson } from "../../../dev/parse-json.ts";
import { HistoryPage, Problem, RoomPresence, TokenReply } from "../../../protocol/http.ts";
import type { Recorder } from "../history/recorder.ts";
import type { SecretWatch } from "./secrets.ts";

const TIMEOUT_MS = 15_000;

export interface HttpDeps {
  apiUrl: string;
  recorder: Recorder;
  secrets: SecretWatch;
  /** A sign-in, as the identity provider gives it. */
  session: (user: string) => Promise<string>;
}

export type Answer<Body> = { status: number; body: Body | undefined };

/** The Worker's routes as a client uses them. Nothing throws: every answer, and its absence, is written down. */
export class ChaosHttp {
  readonly #deps: HttpDeps;

  constructor(deps: HttpDeps) {
    this.#deps = deps;
  }

  /** Signs in and swaps that for chat tokens. */
  async exchange(user: string): Promise<Answer<TokenReply>> {
    try {
      const authorization = `Bearer ${await this.#deps.session(user)}`;
      // The one answer that has tokens in it.
      return await this.#ask(TokenReply, "POST /v1/token", "/v1/token", authorization, false);
    } catch {
      return { status: 0, body: undefined };
    }
  }

  async readPage(token: string, room: string, query: string): Promise<Answer<HistoryPage>> {
    const path = `/v1/channels/${room}/messages?${query}`;
    return this.#ask(HistoryPage, "GET /v1/channels/:id/messages", path, `Bearer ${token}`);
  }

  async readPresence(token: string, room: string): Promise<Answer<RoomPresence>> {
    return this.#ask(RoomPresence, "GET /v1/presence", `/v1/presence?roomId=${room}`, `Bearer ${token}`);
  }

  /** Any other route whose answer only has to be an honest one. */
  async probe(path: string, token?: string): Promise<void> {
    await this.#ask(z.unknown(), `GET ${path}`, path, token === undefined ? undefined : `Bearer ${token}`);
  }

  async #ask<Body>(
    schema: z.ZodMiniType<Body>,
    route: string,
    path: string,
    authorization: string | undefined,
    isPublic = true,
  ): Promise<Answer<Body>> {
    const { apiUrl, recorder, secrets } = this.#deps;
    try {
      const response = await fetch(`${apiUrl}${path}`, {
        method: route.split(" ")[0] ?? "GET",
        headers: authorization === undefined ? {} : { authorization },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.text();
      if (isPublic || !response.ok) secrets.look(text, `an answer of ${route}`);
      const value = parseJson(text);
      const code = z.safeParse(Problem, value).data?.code;
      recorder.write({ kind: "request", route, status: response.status, ...(code !== undefined && { code }) });
      const body = response.ok ? z.safeParse(schema, value).data : undefined;
      return { status: response.status, body };
    } catch {
      recorder.write({ kind: "request", route, status: 0 });
      return { status: 0, body: undefined };
    }
  }
}
