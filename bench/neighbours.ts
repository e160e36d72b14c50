import { type BenchStack, startBenchStack } from "./bench-stack.ts";
import { goal } from "./goal.ts";
import { median } from "./load.ts";
import { RoomClient, sleep } from "./room-client.ts";

const ROUNDS = 5;
const AUTHORS = 60;
const WITNESSES = 20;
/** More than may be on its way to a reader; for each author, less than the limit. */
const MESSAGES = 900;
const SPAN_MS = 6_000;
const FLOOD_PER_SECOND = 1_000;
const CONTENT = "x".repeat(200);

/** Begins what one socket does to the room it is in. @returns how it ends */
type Trouble = (url: string, token: string) => Promise<() => Promise<void>>;

const CALM = "calm";
const TROUBLES: Record<string, Trouble> = {
  [CALM]: async () => async () => {},
  "F18, a reader that does not read": readNothing,
  "F16, a flood of messages": flood((client) => client.say(CONTENT)),
  "F15, a flood of pings": flood((client) => client.ping()),
};

interface Waits {
  sameRoom: number;
  nextRoom: number;
}

/** How long acks take in a room where one socket misbehaves, and in a room next to it, over how long they take in calm. */
export async function benchNeighbours(): Promise<void> {
  const stack = await startBenchStack({ ENABLE_LOGGING: "false" });
  const waits: Record<string, Waits[]> = {};
  try {
    await measure(stack, readNothing); // for getting warm
    for (let round = 0; round < ROUNDS; round++)
      for (const [name, trouble] of Object.entries(TROUBLES)) (waits[name] ??= []).push(await measure(stack, trouble));
  } finally {
    await stack.stop();
  }
  const middle = (name: string, where: keyof Waits) => median((waits[name] ?? []).map((wait) => wait[where]));
  for (const where of ["sameRoom", "nextRoom"] as const) {
    const place = where === "sameRoom" ? "in the same room" : "in another room";
    console.log(`ack p99 ${place}, calm: ${middle(CALM, where).toFixed(1)} ms (median of ${ROUNDS} rounds)`);
    for (const name of Object.keys(TROUBLES).filter((name) => name !== CALM))
      goal(`${name}: ack p99 ${place}, over calm`, middle(name, where) / middle(CALM, where), { atMost: 2 });
  }
}

async function measure(stack: BenchStack, trouble: Trouble): Promise<Waits> {
  const [url, nextUrl] = [stack.roomUrl(crypto.randomUUID()), stack.roomUrl(crypto.randomUUID())];
  const [token = "", ...tokens] = await stack.tokens(1 + AUTHORS);
  const [authors, witnesses] = [await enter(url, tokens), await enter(nextUrl, tokens.slice(0, WITNESSES))];
  const end = await trouble(url, token);
  await talk(authors, witnesses);
  await end();
  for (const client of [...authors, ...witnesses]) client.leave();
  return { sameRoom: p99Of(authors), nextRoom: p99Of(witnesses) };
}

async function enter(url: string, tokens: readonly string[]): Promise<RoomClient[]> {
  const clients: RoomClient[] = [];
  for (const token of tokens) {
    const client = new RoomClient();
    await client.join(url, token);
    clients.push(client);
  }
  return clients;
}

/** Everybody says something in turn, at a steady rate; ends when all of it has been acked. */
async function talk(authors: readonly RoomClient[], witnesses: readonly RoomClient[]): Promise<void> {
  const startedAt = performance.now();
  for (let said = 0; said < MESSAGES; await sleep(1))
    for (const due = Math.min(MESSAGES, ((performance.now() - startedAt) / SPAN_MS) * MESSAGES); said < due; said++) {
      authors[said % AUTHORS]?.say(CONTENT);
      if (said % 3 === 0) witnesses[(said / 3) % WITNESSES]?.say(CONTENT);
    }
  for (const client of [...authors, ...witnesses]) while (client.unacked > 0) await sleep(5);
}

async function readNothing(url: string, token: string): Promise<() => Promise<void>> {
  const client = new RoomClient();
  await client.join(url, token);
  client.stopReading();
  return async () => client.leave();
}

/** One socket that does something all the time, and comes back as soon as the room has closed it. */
function flood(act: (client: RoomClient) => void): Trouble {
  return async (url, token) => {
    const flooded = { isOver: false };
    const run = async () => {
      let client = new RoomClient();
      await client.join(url, token);
      const startedAt = performance.now();
      for (let acted = 0; !flooded.isOver; await sleep(1))
        for (const due = ((performance.now() - startedAt) / 1_000) * FLOOD_PER_SECOND; acted < due; acted++) {
          if (client.isGone) await (client = new RoomClient()).join(url, token);
          act(client);
        }
      client.leave();
    };
    const flooding = run();
    return async () => {
      flooded.isOver = true;
      await flooding;
    };
  };
}

function p99Of(clients: readonly RoomClient[]): number {
  const all = clients.flatMap(({ ackMs }) => ackMs).toSorted((one, other) => one - other);
  return all[Math.floor(all.length * 0.99)] ?? Number.NaN;
}
