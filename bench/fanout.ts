import { type Contestant, startContestants } from "./fanout/contestants.ts";
import { LoadClient } from "./fanout/load-client.ts";
import type { Order } from "./fanout/load-process.ts";
import { goal } from "./goal.ts";
import { median } from "./load.ts";

/** How many listen, and how often all of it is done; a shorter plan is for trying things out. */
const PLAN = { listeners: [10, 100, 1_000], rounds: 3 };
type Plan = typeof PLAN;
const SATURATE = { do: "saturate", warmUpMs: 400, ms: 2_000, window: 128 } as const;
const PACE_MS = 2_000;
const PACES = [20, 300];
/** More deliveries a second than this are no longer paced but too much for any of them. */
const PACED_DELIVERIES_MAX = 50_000;

interface Measured {
  perCpuSecond: number;
  p50: number;
  p99: number;
}
/** By contestant, listeners and pace; a pace of 0 is saturation. */
type Results = Map<string, Measured[]>;
const keyOf = (name: string, listeners: number, pace: number) => `${name}|${listeners}|${pace}`;

/** What a delivery costs in one full room, next to other ways to have one. */
export async function benchFanout(plan: Plan = PLAN): Promise<void> {
  const contestants = await startContestants();
  const load = new LoadClient();
  const results: Results = new Map();
  try {
    for (let round = 1; round <= plan.rounds; round++)
      for (const listeners of plan.listeners)
        for (const contestant of contestants) {
          process.stderr.write(
            `round ${round} of ${plan.rounds}: ${listeners} listeners, ${contestant.name}`.padEnd(79) + "\r",
          );
          await visit(load, contestant, listeners, results);
        }
  } finally {
    load.stop();
    for (const contestant of contestants) await contestant.stop();
  }
  report(contestants, results, plan);
}

async function visit(load: LoadClient, contestant: Contestant, listeners: number, results: Results): Promise<void> {
  const tokens = await contestant.tokens(listeners);
  await load.ask({ do: "open", url: contestant.newRoom(), dialect: contestant.dialect, tokens }, "opened");
  for (const pace of [0, ...PACES.filter((pace) => pace * listeners <= PACED_DELIVERIES_MAX)]) {
    const order: Order = pace === 0 ? SATURATE : { do: "pace", perSecond: pace, ms: PACE_MS };
    const key = keyOf(contestant.name, listeners, pace);
    results.set(key, [...(results.get(key) ?? []), await measure(load, contestant, order)]);
  }
  await load.ask({ do: "close" }, "closed");
}

async function measure(load: LoadClient, contestant: Contestant, order: Order): Promise<Measured> {
  await load.ask(order, "begin");
  const [before, { deliveries, latencies }] = await Promise.all([contestant.cpuSeconds(), load.until("end")]);
  const perCpuSecond = deliveries / ((await contestant.cpuSeconds()) - before);
  const sorted = latencies.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { perCpuSecond, p50: at(0.5), p99: at(0.99) };
}

function report(contestants: readonly Contestant[], results: Results, { listeners, rounds }: Plan): void {
  const of = (name: string, listeners: number, pace = 0): Measured => {
    const all = results.get(keyOf(name, listeners, pace)) ?? [];
    const middle = (pick: (one: Measured) => number) => median(all.map(pick));
    return {
      perCpuSecond: middle((one) => one.perCpuSecond),
      p50: middle((one) => one.p50),
      p99: middle((one) => one.p99),
    };
  };
  const names = contestants.map(({ name }) => name);
  console.log(
    `\nDeliveries of 200-byte messages per second of the server's CPU, at saturation (median of ${rounds} rounds)`,
  );
  for (const name of names)
    line(
      name,
      listeners.map((count) => `${count}: ${round(of(name, count).perCpuSecond)}`),
    );
  for (const pace of PACES) {
    console.log(
      `\nPaced, ${pace} messages a second: deliveries per CPU-second, and milliseconds to the median and to the slowest of a hundred`,
    );
    for (const name of names)
      line(
        name,
        listeners
          .filter((count) => pace * count <= PACED_DELIVERIES_MAX)
          .map((count) => {
            const { perCpuSecond, p50, p99 } = of(name, count, pace);
            return `${count}: ${round(perCpuSecond)} ${p50.toFixed(1)}/${p99.toFixed(1)}`;
          }),
      );
  }
  const [, socketIo = "", bare = "", single = "", lines = ""] = names;
  const ratio = (one: Measured, other: Measured) => one.perCpuSecond / other.perCpuSecond;
  console.log("");
  for (const count of listeners)
    goal(
      `a frame a message over the bare PartyKit room, ${count} listeners`,
      ratio(of(single, count), of(bare, count)),
      {
        atLeast: 0.7,
      },
    );
  for (const count of listeners)
    goal(`lines over Socket.IO, ${count} listeners`, ratio(of(lines, count), of(socketIo, count)), { atLeast: 4 });
  if (listeners.includes(1_000) && listeners.includes(100))
    for (const name of [single, lines])
      goal(`cost at 1,000 listeners over cost at 100, ${name}`, ratio(of(name, 100), of(name, 1_000)), { atMost: 1 });
  const added = (count: number, pace: number) => of(lines, count, pace).p50 - of(single, count, pace).p50;
  for (const count of listeners.filter((one) => one * 300 <= PACED_DELIVERIES_MAX)) {
    goal(`ms that gathering adds to p50 at 300 a second, ${count} listeners`, added(count, 300), { atMost: 15 });
    goal(`ms that it adds in a quiet room, ${count} listeners`, added(count, 20), { atMost: 1 });
  }
}

function line(name: string, cells: string[]): void {
  console.log(`  ${name.padEnd(24)}${cells.map((cell) => cell.padStart(26)).join("")}`);
}

function round(value: number): string {
  return Math.round(value).toLocaleString("en");
}
