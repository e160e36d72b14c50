import { filter, measureAlarms, measureDisguises, measureObscenity, measureRecall } from "./moderation/measure.ts";
import { ATTACKS, MESSAGES } from "./moderation/texts.ts";

const ROUNDS = 2_000;
const WARM_UP = 300;

/** What the filter costs in front of a message, what it finds, and what it finds wrongly. */
export async function benchModeration(): Promise<void> {
  console.log("\nThe content filter: milliseconds a message\n");
  for (const [name, text] of Object.entries(MESSAGES)) printTimes(`${name}, 1,000 characters`, text, 1);
  for (const [name, text] of Object.entries(ATTACKS)) printTimes(`attack: ${name}, 4 kB`, text, 5);
  printFindings();
}

function printTimes(name: string, text: string, goalMs: number): void {
  for (let round = 0; round < WARM_UP; round++) filter.decide(text);
  const times: number[] = [];
  const cpuBefore = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    filter.decide(text);
    times.push(performance.now() - startedAt);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  times.sort((one, other) => one - other);
  const [p50 = 0, p99 = 0] = [times[ROUNDS / 2], times[ROUNDS * 0.99]];
  const cpu = (user + system) / 1_000 / ROUNDS;
  console.log(`${name.padEnd(48)} p50 ${shown(p50)}  p99 ${shown(p99)}  CPU ${shown(cpu)}  goal ${goalMs}`);
}

function printFindings(): void {
  const { found: theirs, of } = measureObscenity();
  console.log(`\nOf a public list of ${of} words and phrases found\n`);
  console.log(`${"obscenity's own dataset".padEnd(48)} ${share(theirs, of)}`);
  for (const { disguise, found } of measureRecall()) console.log(`${disguise.padEnd(48)} ${share(found, of)}`);
  console.log("\nOf what is found undisguised, found disguised\n");
  for (const { disguise, found, of: all } of measureDisguises())
    console.log(`${disguise.padEnd(48)} ${share(found, all)}`);
  const alarms = measureAlarms();
  console.log(
    `\nOf a dictionary of ${alarms.of} words found: ${alarms.found.length} (${share(alarms.found.length, alarms.of)})`,
  );
}

const shown = (ms: number) => ms.toFixed(3).padStart(6);
const share = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)} %`;
