import * as z from "zod/mini";
import { HistoryPage, Problem } from "../../../../protocol/http.ts";
import { parseJson } from "../../../../protocol/json.ts";
import type { Recorder } from "../../history/recorder.ts";
import type { SecretWatch } from "../secrets.ts";

export interface FetchTapDeps {
  client: string;
  recorder: Recorder;
  secrets: SecretWatch;
}

const HISTORY = /^\/v1\/channels\/([^/]+)\/messages$/;
const DEFAULT_LIMIT = 50;
/** Pages are deeper than what comes on a socket. */
const PAGE_DEPTH = 8;

/** The `fetch` that an SDK gets: every answer is written down, and every page of history with what was asked for. */
export function tapFetch({ client, recorder, secrets }: FetchTapDeps): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const room = HISTORY.exec(url.pathname)?.[1];
    const route = `${init?.method ?? "GET"} ${room === undefined ? url.pathname : "/v1/channels/:id/messages"}`;
    const askedAt = recorder.now();
    try {
      const response = await fetch(input, init);
      const text = await response.text();
      secrets.look(text, `an answer of ${route}`);
      const value = parseJson(text, PAGE_DEPTH);
      const code = z.safeParse(Problem, value).data?.code;
      recorder.write({ kind: "request", route, status: response.status, ...(code !== undefined && { code }) });
      if (response.ok && room !== undefined) notePage(room, url.searchParams, value);
      return new Response(text, response);
    } catch (error) {
      if (init?.signal?.aborted !== true) recorder.write({ kind: "request", route, status: 0 });
      throw error;
    }

    // It fills nothing here: what the app sees of it is what the SDK tells.
    function notePage(room: string, query: URLSearchParams, value: unknown): void {
      const page = HistoryPage.safeParse(value).data;
      if (page === undefined) return;
      const numbers = [...query].map(([name, value]) => [name, Number(value)]);
      recorder.write({
        kind: "page",
        client,
        room,
        askedAt,
        limit: DEFAULT_LIMIT,
        ...(Object.fromEntries(numbers) as { before?: number; after?: number; limit?: number }), // all that it is asked with
        fills: false,
        messages: page.messages.map((message) => recorder.number(room, message)),
      });
    }
  };
}
