import { beforeEach } from "vitest";
import { onBeforeConnect } from "../../party/edge.ts";
import { gateway, openGatewayForEachTest } from "../gateway/each-gateway.ts";
import { VARIABLES } from "../gateway/fake-sockets.ts";

/** Both doors of sockets, the gateway's and the rooms', and whether anything behind them was woken. */

/** Every test of a file begins with a gateway of its own, and with nothing woken. */
export function openDoorsForEachTest(): void {
  openGatewayForEachTest();
  beforeEach(() => void (woken.length = seen.length = 0));
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
