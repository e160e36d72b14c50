import { readConfig, type Variables } from "../../domain/config.ts";
import type { Limiter } from "../../domain/ports/limiter.ts";
import type { PresenceBoard } from "../../domain/ports/presence-board.ts";
import type { Store } from "../../domain/ports/store.ts";
import { createApp } from "../../functions/app.ts";
import { createDeps, type World } from "../../functions/deps.ts";
import { UNRESTRICTED } from "../../domain/restriction.ts";

/**
 * The Worker's own HTTP side over its own verifier and signer. Only what would cross a network is replaced: the limiter
 * allows everything, users are not saved, and the issuer's key set is answered from a binding, once.
 */
let app: Promise<ReturnType<typeof createApp>> | undefined;

export default {
  async fetch(request: Request, env: Variables): Promise<Response> {
    app ??= start(env);
    return (await app).fetch(request);
  },
};

async function start(env: Variables): Promise<ReturnType<typeof createApp>> {
  const report = readConfig({
    ENVIRONMENT: "preview",
    PUBLIC_URL: "https://chat.example",
    CHAT_JWT_SECRET: env["SECRET"],
    CLERK_JWT_ISSUER: env["ISSUER"],
    CLERK_AUTHORIZED_PARTIES: "https://app.example",
    DATABASE_URL: "postgresql://nobody@localhost/none",
    UPSTASH_REDIS_REST_URL: "http://localhost:1",
    UPSTASH_REDIS_REST_TOKEN: "none",
  });
  if (report.settings === undefined) throw new Error(JSON.stringify(report.problems));
  return createApp(await createDeps(report.settings, report, world(env)));
}

function world(env: Variables): World {
  const limiter: Limiter = {
    take: async () => ({
      allowed: true,
      limit: 10,
      windowSeconds: 900,
      remaining: 9,
      resetSeconds: 900,
      degraded: false,
      restriction: UNRESTRICTED,
    }),
  };
  // Only what an exchange calls is here; anything else would be a mistake of the benchmark and throws.
  const store = { upsertUser: async () => ({}) } as unknown as Store;
  const board = {} as PresenceBoard;
  return {
    store,
    board,
    redis: { ping: async () => {} },
    keySets: { load: async () => undefined, save: async () => {} },
    restrictions: { saveRestriction: async () => {} },
    limiter,
    fetch: async () => new Response(JSON.stringify({ keys: [JSON.parse(String(env["PUBLIC_JWK"]))] })),
    now: Date.now,
    wait: async () => {},
    waitUntil: () => {},
    log: () => {},
  };
}
