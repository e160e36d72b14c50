import { Hono } from "hono/tiny";
import { brokenHealth } from "../domain/health.ts";
import type { ConfigReport } from "../domain/config.ts";
import { ChatError } from "../protocol/errors.ts";
import { EVERY_ANSWER, jsonAnswer, problemAnswer } from "./answer.ts";
import { pathOf } from "./url.ts";

/**
 * What a deployment serves whose configuration is not safe: that it is alive, what is wrong with it, and nothing else. It
 * never gets as far as a key, a store or a token.
 */
export function createBrokenApp({ problems }: Pick<ConfigReport, "problems">, now: () => number = Date.now): Hono {
  const app = new Hono({ getPath: pathOf });
  app.get("/healthz", () => jsonAnswer(200, { status: "ok" }, { ...EVERY_ANSWER }));
  for (const path of ["/v1/health", "/api/chat/health"])
    app.get(path, () => jsonAnswer(503, brokenHealth(problems, now()), { ...EVERY_ANSWER }));
  app.notFound(() => problemAnswer(new ChatError("config_invalid"), crypto.randomUUID(), { ...EVERY_ANSWER }));
  return app;
}
