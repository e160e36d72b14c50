import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_DIR } from "../../../dev/project.ts";
import { startStack } from "../../support/stack.ts";
import { Clock } from "./clock.ts";
import { bundleEntries } from "./entries.ts";
import { inject } from "./faults.ts";
import { startProxies } from "./proxy/process.ts";
import { Turns } from "./turns.ts";
import { type ChaosWorld, FAULTS, type Injected, type WorldOptions } from "./types.ts";
import { WakingLog } from "./waking-log.ts";

/** PartyKit runs no entry from outside the project. */
const BUNDLES_DIR = join(PROJECT_DIR, "node_modules/.cache/parley-chaos");

/** Clients are many and impatient here; what limits them is tested elsewhere. */
const SETTINGS = {
  ENABLE_LOGGING: "true",
  TOKEN_RATE_LIMIT: "100000",
  CHANNEL_RATE_LIMIT: "100000",
  READ_RATE_LIMIT: "100000",
  RATE_LIMIT_MAX_MESSAGES: "100000",
};

const ANSWERS_WITHIN_MS = 30_000;
/** What has not stopped by then ends with this process. */
const STOPS_WITHIN_MS = 30_000;
const POLL_MS = 100;

/** Starts the whole stack with a proxy at every hop. */
export async function startWorld(options: WorldOptions): Promise<ChaosWorld> {
  await mkdir(BUNDLES_DIR, { recursive: true });
  const folder = await mkdtemp(join(BUNDLES_DIR, "world-"));
  const proxies = startProxies();
  const wakings = new WakingLog();
  const close = async (): Promise<void> => {
    await proxies.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const entries = await bundleEntries(folder, options.patches);
    const addresses: Record<string, string> = {};
    const stack = await startStack(
      { ...SETTINGS, ...options.environment },
      {
        entries: entries.files,
        through: async (hop, url) => (addresses[hop] = await proxies.open(hop, url)),
        onLine: (part, line) => {
          wakings.take(line);
          options.onLine?.(part, line);
        },
      },
    );
    const { worker: apiUrl = "" } = addresses;
    const partyUrl = await proxies.open("rooms", stack.partyUrl);
    const clock = new Clock(stack);
    const grounds = { stack, proxies, entries, clock, wakings };
    const active = new Set<Injected>();
    const turns = new Turns();
    const heal = async (): Promise<void> => {
      await Promise.all([...active].map((injected) => injected.heal()));
      active.clear();
      await Promise.all([stack.apiUrl, stack.partyUrl].map(untilAnswers));
    };
    return {
      stack: { ...stack, session: (user, request) => clock.session(user, request) },
      apiUrl,
      wsUrl: `${apiUrl.replace(/^http/, "ws")}/ws`,
      partyUrl,
      faults: FAULTS,
      inject: async (name, faultOptions) => {
        const injected = await turns.take(name, () => inject(grounds, name, faultOptions));
        active.add(injected);
        return injected;
      },
      heal,
      roomsRss: () => stack.rooms.residentBytes(),
      answers: async () => (await proxies.answers()).filter(({ hop }) => hop === "worker" || hop === "rooms"),
      secrets: [stack.chatJwtSecret, stack.redisRestToken, stack.apiKey, new URL(stack.databaseUrl).password],
      replace: async (part, patches) => {
        entries.patch(part, patches);
        await stack[part].kill();
        await entries.deploy(part, clock.offsetMs);
        await stack[part].start();
      },
      stop: async () => {
        // Nothing of it is kept, so nothing is mended first, and nobody is waited for who may hang.
        const stopping = Promise.all([stack.worker.kill(), stack.rooms.kill()])
          .then(close)
          .then(() => stack.stop());
        await Promise.race([stopping, new Promise((resolve) => setTimeout(resolve, STOPS_WITHIN_MS).unref())]);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function untilAnswers(url: string): Promise<void> {
  const end = performance.now() + ANSWERS_WITHIN_MS;
  while (performance.now() < end) {
    const reply = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(POLL_MS * 10) }).catch(() => undefined);
    if (reply?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`${url} does not answer although everything is healed`);
}
