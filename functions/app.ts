import { Hono } from "hono/tiny";
import type { Deps } from "../domain/deps.ts";
import { KeyGuard } from "../domain/key-guard.ts";
import { RefusedRequests } from "../domain/refused-requests.ts";
import { addressReader } from "./address.ts";
import { createAnswerHeaders } from "./answer.ts";
import { Endpoint, type EndpointDeps } from "./endpoint.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { pathOf } from "./url.ts";

/** Stands in log lines for a path that leads nowhere: what strangers type is never logged. */
const NOWHERE = "*";

/** The whole HTTP side for one deployment. */
export function createApp(deps: Deps, routes: readonly Route[] = ROUTES): Hono {
  const own: EndpointDeps = {
    deps,
    headers: createAnswerHeaders(deps.settings),
    guard: new KeyGuard(deps),
    refused: new RefusedRequests(deps),
    addressOf: addressReader(deps.settings),
  };
  // Paths are matched as they were sent: an escaped letter is another address, and there is nothing there.
  const app = new Hono({ getPath: pathOf });
  for (const [path, there] of byPath(routes)) {
    const endpoint = new Endpoint(own, path, there);
    app.all(path, (c) => endpoint.serve(c.req.raw));
  }
  const nowhere = new Endpoint(own, NOWHERE, []);
  app.all("*", (c) => nowhere.serve(c.req.raw));
  return app;
}

function byPath(routes: readonly Route[]): Map<string, Route[]> {
  const paths = new Map<string, Route[]>();
  for (const route of routes)
    for (const path of [route.path, ...(route.aliases ?? [])]) paths.set(path, [...(paths.get(path) ?? []), route]);
  return paths;
}
