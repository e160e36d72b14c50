import { afterEach, beforeEach, vi } from "vitest";
import { onBeforeConnect } from "../../party/edge.ts";
import { createTestGateway, NOW, type TestGateway, VARIABLES } from "../gateway/fake-sockets.ts";

/** Both doors of sockets, the gateway's and the rooms', and whether anything behind them was woken. */

export let gateway: TestGateway;

/** Every test of a file begins with a gateway of its own, with nothing woken, and at the same time. */
export function openDoorsForEachTest(): void {
  beforeEach(async () => {
    vi.useFakeTimers({ now: NOW });
    gateway = await createTestGateway();
    woken.length = seen.length = 0;
  });
  afterEach(() => void vi.useRealTimers());
}

/** Each request that got through to a room. */
export const woken: string[] = [];
/** The headers that got through to a room, of each request. */
export const seen: string[][] = [];
/** What the room says of a guest before its socket is opened. */
export const admission = () => new Response(null, { status: 204 });
export const lobby = {
  env: VARIABLES,
  parties: {
    main: {
      get: (key: string) => ({
        fetch: async (path: string, { headers }: RequestInit): Promise<Response> => {
          woken.push(`${key} ${path}`);
          seen.push([...new Headers(headers)].map(([name, value]) => `${name}: ${value}`));
          return path === "/admission" ? admission() : Response.json({ ok: true });
        },
      }),
    },
    people: { get: () => ({ fetch: async () => Response.json({ notBefore: 0 }) }) },
  },
};
export const doors = {
  gateway: async (headers: Record<string, string>, query = "") => (await gateway.open({ headers, query })).response,
  room: (headers: Record<string, string>, query = "", path = "/parties/main/lobby") =>
    onBeforeConnect(
      new Request(`https://rooms.example${path}${query}`, {
        headers: { upgrade: "websocket", "sec-websocket-version": "13", ...headers },
      }),
      lobby,
    ),
};
export const asleep = (): boolean => woken.length === 0 && gateway.rooms.length === 0;
export const refused = async (response: Response) => ({
  status: response.status,
  type: response.headers.get("content-type"),
  code: ((await response.json()) as { code: string }).code,
});
export const problem = (status: number, code: string) => ({ status, type: "application/problem+json", code });
