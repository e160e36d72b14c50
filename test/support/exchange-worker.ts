import { waitUntil } from "cloudflare:workers";
import { readConfig, type Variables } from "../../domain/config.ts";
import type { Store } from "../../domain/ports/store.ts";
import { UNRESTRICTED } from "../../domain/restriction.ts";
import { createApp } from "../../functions/app.ts";
import { createDeps } from "../../functions/deps.ts";

/** The exchange in the real runtime, with a real issuer over the network and nothing else behind it. */
let app: Promise<ReturnType<typeof createApp>> | undefined;

export default {
  async fetch(request: Request, env: Variables): Promise<Response> {
    app ??= start(env);
    return (await app).fetch(request);
  },
};

async function start(env: Variables): Promise<ReturnType<typeof createApp>> {
  const { settings, aliasesUsed, problems } = readConfig(env);
  if (settings === undefined) throw new Error(JSON.stringify(problems));
  const answer = {
    allowed: true,
    limit: 9,
    windowSeconds: 9,
    remaining: 9,
    resetSeconds: 9,
    degraded: false,
    restriction: UNRESTRICTED,
  };
  return createApp(
    await createDeps(
      settings,
      { aliasesUsed },
      {
        store: { upsertUser: async () => ({}) } as unknown as Store, // an exchange calls nothing else of it
        redis: { ping: async () => {} },
        board: { findUserPresence: async () => ({ online: false, lastSeenAt: null }), reportPresence: async () => {} },
        keySets: { load: async () => undefined, save: async () => {} },
        restrictions: { saveRestriction: async () => {} },
        limiter: { take: async () => answer },
        fetch: (input, init) => fetch(input, init),
        now: Date.now,
        wait: async () => {},
        waitUntil,
        log: () => {},
      },
    ),
  );
}
