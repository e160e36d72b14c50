import { type Contestant, startContestants } from "./fanout/contestants.ts";
import { LoadClient } from "./fanout/load-client.ts";
import type { Order } from "./fanout/load-process.ts";
import { type Measured, reportFanout, Results } from "./fanout/report.ts";

/** How many listen, and how often all of it is done; a shorter plan is for trying things out. */
const PLAN = { listeners: [10, 100, 1_000], rounds: 3 };
type Plan = typeof PLAN;
const SATURATE = { do: "saturate", warmUpMs: 400, ms: 2_000, window: 256 } as const;
const PACE_MS = 2_000;
const PACES = [20, 300];
/** Each is asked once before anything is noted: code that has not run yet is compiled first. */
const WARM_UP_LISTENERS = 100;
/** More deliveries a second than this are no longer paced but too much for any of them. */
const PACED_DELIVERIES_MAX = 50_000;

/** What a delivery costs in one full room, next to other ways to have one. */
export async function benchFanout(plan: Plan = PLAN): Promise<void> {
  const contestants = await startContestants();
  const load = new LoadClient();
  const results = new Results();
  try {
    for (const contestant of contestants) {
      process.stderr.write(`warming up ${contestant.name}`.padEnd(79) + "\r");
      await visit(load, contestant, WARM_UP_LISTENERS, new Results());
    }
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
  reportFanout(contestants, results, { ...plan, paces: PACES, isPaced });
}

async function visit(load: LoadClient, contestant: Contestant, listeners: number, results: Results): Promise<void> {
  const tokens = await contestant.tokens(listeners);
  await load.ask({ do: "open", url: contestant.newRoom(), dialect: contestant.dialect, tokens }, "opened");
  // Calm first: after a storm a room hands over to history for a while.
  const paces = contestant.isPaced ? PACES.filter((pace) => isPaced(listeners, pace)) : [];
  for (const pace of [...paces, 0]) {
    const order: Order = pace === 0 ? SATURATE : { do: "pace", perSecond: pace, ms: PACE_MS };
    results.add(contestant.name, listeners, pace, await measure(load, contestant, order));
  }
  await load.ask({ do: "close" }, "closed");
}

async function measure(load: LoadClient, contestant: Contestant, order: Order): Promise<Measured> {
  await load.ask(order, "begin");
  const [before, { deliveries, latencies }] = await Promise.all([contestant.cpuSeconds(), load.next("end")]);
  const perCpuSecond = deliveries / ((await contestant.cpuSeconds()) - before);
  const sorted = latencies.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { perCpuSecond, p50: at(0.5), p99: at(0.99) };
}

function isPaced(listeners: number, pace: number): boolean {
  return listeners * pace <= PACED_DELIVERIES_MAX;
}
