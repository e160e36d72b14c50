import { goal } from "../goal.ts";
import { median } from "../load.ts";
import { type Contestant, NAMES } from "./contestants.ts";

export interface Measured {
  /** Deliveries for a second of the server's CPU. */
  perCpuSecond: number;
  /** Milliseconds from saying to hearing; not at saturation. */
  p50: number;
  p99: number;
}

export interface Shape {
  listeners: readonly number[];
  rounds: number;
  /** Messages a second. */
  paces: readonly number[];
  isPaced: (listeners: number, pace: number) => boolean;
}

/** What was measured in all rounds; a pace of 0 is saturation. */
export class Results {
  readonly #measured = new Map<string, Measured[]>();

  add(name: string, listeners: number, pace: number, measured: Measured): void {
    const key = `${name}|${listeners}|${pace}`;
    this.#measured.set(key, [...(this.#measured.get(key) ?? []), measured]);
  }

  /** The middle of all rounds, of each figure by itself. */
  of(name: string, listeners: number, pace = 0): Measured {
    const all = this.#measured.get(`${name}|${listeners}|${pace}`) ?? [];
    const middle = (pick: (one: Measured) => number) => median(all.map(pick));
    return {
      perCpuSecond: middle((one) => one.perCpuSecond),
      p50: middle((one) => one.p50),
      p99: middle((one) => one.p99),
    };
  }
}

/** Prints tables as `docs/benchmarks.md` has them, and what has to be reached. */
export function reportFanout(contestants: readonly Contestant[], results: Results, shape: Shape): void {
  const { listeners, rounds, paces, isPaced } = shape;
  const headings = listeners.map((count) => `${count.toLocaleString("en")} listeners`);
  console.log(`\nDeliveries of 200-byte messages per CPU-second at saturation, the median of ${rounds} rounds:\n`);
  table(
    headings,
    contestants.map(({ name }) => [name, ...listeners.map((count) => rounded(results.of(name, count).perCpuSecond))]),
  );
  for (const pace of paces) {
    console.log(
      `\n${pace} messages a second: deliveries per CPU-second, and ms to the median and to the 99th of 100:\n`,
    );
    const paced = listeners.filter((count) => isPaced(count, pace));
    const cell = ({ perCpuSecond, p50, p99 }: Measured) =>
      `${rounded(perCpuSecond)}; ${p50.toFixed(1)}, ${p99.toFixed(1)}`;
    table(
      paced.map((count) => `${count.toLocaleString("en")} listeners`),
      contestants
        .filter((one) => one.isPaced)
        .map(({ name }) => [name, ...paced.map((count) => cell(results.of(name, count, pace)))]),
    );
  }
  console.log("");
  goals(results, shape);
}

function goals(results: Results, { listeners, isPaced }: Shape): void {
  const rate = (name: string, count: number) => results.of(name, count).perCpuSecond;
  for (const runtime of ["partykit", "workerd"] as const) {
    const [bare, single, lines] = [NAMES.bare[runtime], NAMES.single[runtime], NAMES.lines[runtime]];
    for (const count of listeners) {
      goal(`${single} over ${bare}, ${count}`, rate(single, count) / rate(bare, count), { atLeast: 0.7 });
      goal(`${lines} over Socket.IO, ${count}`, rate(lines, count) / rate(NAMES.socketIo, count), { atLeast: 4 });
      const most = rate(NAMES.gathering[runtime], count) / rate(NAMES.socketIo, count);
      console.log(`         for comparison, ${NAMES.gathering[runtime]}: ${most.toFixed(2)}`);
    }
    if (listeners.includes(1_000) && listeners.includes(100)) {
      for (const name of [single, lines])
        goal(`cost at 1,000 over cost at 100, ${name}`, rate(name, 100) / rate(name, 1_000), { atMost: 1 });
      for (const name of [NAMES.ws, NAMES.socketIo, bare])
        console.log(`         for comparison, ${name}: ${(rate(name, 100) / rate(name, 1_000)).toFixed(2)}`);
    }
  }
  // What gathering adds is what is on top of a room that stores as well, and never gathers.
  const added = (name: string, count: number, pace: number) =>
    results.of(name, count, pace).p50 - results.of(NAMES.storing, count, pace).p50;
  for (const name of [NAMES.single.partykit, NAMES.lines.partykit])
    for (const count of listeners) {
      if (isPaced(count, 300))
        goal(`ms that gathering adds at 300 a second, ${name}, ${count}`, added(name, count, 300), { atMost: 15 });
      if (isPaced(count, 300))
        goal(`ms that it adds in a quiet room, ${name}, ${count}`, added(name, count, 20), { atMost: 1 });
    }
}

function table(headings: readonly string[], rows: readonly string[][]): void {
  const all = [["", ...headings], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, at) => (at === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  for (const row of [all[0] ?? [], rule, ...all.slice(1)]) console.log(line(row));
}

/** To three digits: the rest is noise. */
function rounded(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en");
}
