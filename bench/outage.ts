import { startBenchStack } from "./bench-stack.ts";
import { goal } from "./goal.ts";
import { median } from "./load.ts";
import { PostgresProxy } from "./postgres-proxy.ts";
import { RoomClient, sleep } from "./room-client.ts";

const ROUNDS = 6;
const ROUND_MS = 4_000;
const PER_SECOND = 100;
const SETTLE_MS = 1_000;

/** How long acks take while Postgres is away, next to how long they take while it is there, in turns. */
export async function benchOutage(): Promise<void> {
  const proxy = new PostgresProxy();
  const stack = await startBenchStack(
    { RATE_LIMIT_MAX_MESSAGES: "10000", RATE_LIMIT_WINDOW_MS: "1000" },
    { through: proxy.through },
  );
  const p99: Record<"up" | "down", number[]> = { up: [], down: [] };
  try {
    const [token = ""] = await stack.tokens(1);
    const client = new RoomClient();
    await client.join(stack.roomUrl("outage"), token);
    await round(client); // the first one is for getting warm
    for (let turn = 0; turn < ROUNDS; turn++)
      for (const state of ["up", "down"] as const) {
        proxy.isDown = state === "down";
        await sleep(SETTLE_MS);
        const times = (await round(client)).toSorted((one, other) => one - other);
        p99[state].push(times[Math.floor(times.length * 0.99)] ?? Number.NaN);
      }
    client.leave();
  } finally {
    proxy.isDown = false;
    await stack.stop();
    await proxy.stop();
  }
  for (const state of ["up", "down"] as const)
    console.log(`Postgres ${state.padEnd(4)}  ack p99 in ms: ${p99[state].map((ms) => ms.toFixed(1)).join("  ")}`);
  goal("ack p99 with Postgres down over ack p99 with Postgres up", median(p99.down) / median(p99.up), { atMost: 1.2 });
}

/** A steady stream of messages. @returns the milliseconds each ack took */
async function round(client: RoomClient): Promise<number[]> {
  const startedAt = performance.now();
  client.ackMs.length = 0;
  let said = 0;
  for (; performance.now() - startedAt < ROUND_MS; await sleep(1))
    for (const due = Math.ceil(((performance.now() - startedAt) / 1_000) * PER_SECOND); said < due; said++)
      client.say(`message ${said}`.padEnd(200, "."));
  while (client.ackMs.length < said) await sleep(10);
  return [...client.ackMs];
}
