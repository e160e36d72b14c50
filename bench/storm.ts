import { startBenchStack } from "./bench-stack.ts";
import { goal } from "./goal.ts";
import { PostgresProxy } from "./postgres-proxy.ts";
import { RoomClient, sleep } from "./room-client.ts";

const CLIENTS = 1_000;
const AT_ONCE = 50;
const MESSAGES = 100;
const MISSED = 40;
/** Clients wait anywhere between nothing and this before they first try again. */
const JITTER_MS = 2_000;
const RETRY_MS = 1_000;
const LIMIT_MS = 60_000;

/** A thousand clients come back after their room was killed: how long it takes, and what Postgres hears of it. */
export async function benchStorm(): Promise<void> {
  const proxy = new PostgresProxy();
  const stack = await startBenchStack(
    { RATE_LIMIT_MAX_MESSAGES: "10000", RATE_LIMIT_WINDOW_MS: "1000" },
    { through: proxy.through },
  );
  try {
    const tokens = await stack.tokens(CLIENTS + 1);
    const room = stack.roomUrl("storm");
    const author = new RoomClient();
    const clients = Array.from({ length: CLIENTS }, () => new RoomClient());
    await author.join(room, tokens[CLIENTS] ?? "");
    for (let at = 0; at < CLIENTS; at += AT_ONCE)
      await Promise.all(clients.slice(at, at + AT_ONCE).map((client, n) => client.join(room, tokens[at + n] ?? "")));
    for (let said = 0; said < MESSAGES; said++) author.say(`before ${said}`);
    await until(() => clients.every(({ position }) => position.seq === MESSAGES), "everybody to hear everything");
    await until(() => proxy.queries > 0, "history to be written");
    await quiet(proxy);

    await stack.rooms.kill();
    await until(() => clients.every(({ isGone }) => isGone), "every socket to be cut");
    // Everybody has missed these, as if they had been written just before the kill.
    for (const client of clients) {
      client.position.seq = MESSAGES - MISSED;
      client.messages = 0;
    }
    const queriesBefore = proxy.queries;
    const startedAt = performance.now();
    const starting = stack.rooms.start();
    await Promise.all(clients.map((client, at) => comeBack(client, room, tokens[at] ?? "")));
    const seconds = (performance.now() - startedAt) / 1_000;
    await starting;
    const resumed = clients.filter(({ recovered, messages }) => recovered === true && messages === MISSED).length;
    await quiet(proxy);
    console.log(
      `${resumed} of ${CLIENTS} resumed in ${seconds.toFixed(1)} s after the kill, the runtime's start included`,
    );
    goal("clients that resumed", resumed, { atLeast: CLIENTS });
    goal("seconds until all were back", seconds, { atMost: 30 });
    goal("Postgres queries for gaps that the room's log holds", proxy.queries - queriesBefore, { atMost: 0 });
    for (const client of clients) client.leave();
  } finally {
    await stack.stop();
    await proxy.stop();
  }
}

async function comeBack(client: RoomClient, room: string, token: string): Promise<void> {
  await sleep(Math.random() * JITTER_MS);
  for (const giveUpAt = performance.now() + LIMIT_MS; performance.now() < giveUpAt;) {
    const isBack = await client.join(room, token).then(
      () => true,
      () => false,
    );
    if (isBack) return;
    await sleep(Math.random() * RETRY_MS);
  }
}

/** Resolves when nothing has been asked of Postgres for a while. */
async function quiet(proxy: PostgresProxy): Promise<void> {
  for (let before = -1; before !== proxy.queries; await sleep(1_500)) before = proxy.queries;
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (const giveUpAt = Date.now() + LIMIT_MS; !holds(); await sleep(20))
    if (Date.now() > giveUpAt) throw new Error(`Waited in vain for ${what}`);
}
