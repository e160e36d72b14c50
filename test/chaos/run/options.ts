import { FAULTS, type FaultName } from "../world/types.ts";
import { CLIENT_KINDS, type ClientKind } from "./cast.ts";
import { readArguments, UsageError } from "../../../commands/arguments.ts";

export interface ChaosOptions {
  seed: number;
  minutes: number;
  clients: number;
  rooms: number;
  rate: number;
  client: ClientKind;
  faults: readonly FaultName[];
  out: string | undefined;
  jsonFile: string | undefined;
}

/** A seeded bug is looked for where it shows: its scenario decides everything else. */
export interface BugOptions {
  bug: string;
  out: string | undefined;
  jsonFile: string | undefined;
}

export interface CheckOptions {
  check: string;
  jsonFile: string | undefined;
}

const OPTIONS = [
  "seed",
  "minutes",
  "clients",
  "rooms",
  "rate",
  "client",
  "faults",
  "bug",
  "out",
  "json",
  "check",
] as const;

export function helpText(bugs: readonly string[]): string {
  return `Usage: npm run chaos -- [options]

Starts the whole stack with a proxy at every hop, lets clients talk while faults are injected, and then checks what it
wrote down: every promise of docs/reliability.md, one by one.

  --seed N        decides what happens, and when (default 1)
  --minutes M     how long the faults go on (default 2; a part of a minute is fine)
  --clients N     clients on sockets, besides one that breaks rules and one that never says what it received (default 40)
  --rooms N       rooms they are in (default 8)
  --rate N        messages a second, of all together (default 150)
  --client KIND   what speaks for them: raw sockets, the sdk, or a mix of both (default raw)
  --faults LIST   only these, with commas between; "none" for a run without any
  --bug NAME      builds the rooms or the Worker with a bug, and leads to where it must be found
  --out FILE      where the history goes (default .data/chaos/seed-N.jsonl)
  --json FILE     writes the figures and the violations as JSON
  --check FILE    starts nothing: judges a history that was written before
  --help          this text

Faults: ${FAULTS.join(", ")}

Bugs: ${bugs.join(", ")}

Exit code: 0 when nothing is violated, 1 when something is or the run could not be done, 2 for bad arguments.`;
}

/**
 * Reads the command line.
 *
 * @returns "help" when that is what was asked for.
 * @throws {UsageError}
 */
export function parseOptions(
  args: readonly string[],
  bugs: readonly string[],
): ChaosOptions | BugOptions | CheckOptions | "help" {
  const values = readArguments(args, OPTIONS);
  if (values.help === true) return "help";
  const jsonFile = values.json;
  if (values.check !== undefined) return { check: values.check, jsonFile };
  if (values.bug !== undefined) return { bug: parseBug(values.bug, values, bugs), out: values.out, jsonFile };
  const options = {
    seed: parseNumber("--seed", values.seed ?? "1", 0, 4_294_967_295),
    minutes: parseMinutes(values.minutes ?? "2"),
    clients: parseNumber("--clients", values.clients ?? "40", 2, 1_000),
    rooms: parseNumber("--rooms", values.rooms ?? "8", 1, 100),
    rate: parseNumber("--rate", values.rate ?? "150", 1, 5_000),
    client: parseClient(values.client ?? "raw"),
    faults: parseFaults(values.faults),
    out: values.out,
    jsonFile,
  };
  if (options.rooms > options.clients) throw new UsageError("There are more --rooms than --clients to be in them");
  return options;
}

/** The line that does a run again. */
export function commandOf({ seed, minutes, clients, rooms, rate, client, faults }: ChaosOptions): string {
  const parts = [`--seed ${seed} --minutes ${minutes} --clients ${clients} --rooms ${rooms} --rate ${rate}`];
  if (client !== "raw") parts.push(`--client ${client}`);
  if (faults.length < FAULTS.length) parts.push(`--faults ${faults.join(",") || "none"}`);
  return `npm run chaos -- ${parts.join(" ")}`;
}

function parseBug(bug: string, values: Record<string, unknown>, bugs: readonly string[]): string {
  if (!bugs.includes(bug)) throw new UsageError(`There is no bug "${bug}"`);
  const other = ["seed", "minutes", "clients", "rooms", "rate", "faults"].find((name) => values[name] !== undefined);
  if (other !== undefined)
    throw new UsageError(`Cannot take --${other} with --bug: each bug has a scenario of its own`);
  return bug;
}

function parseNumber(name: string, raw: string, min: number, max: number): number {
  const value = /^\d{1,10}$/.test(raw) ? Number(raw) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`Cannot read ${name} "${raw}": must be a whole number, ${min} to ${max}`);
}

function parseMinutes(raw: string): number {
  const value = /^\d{1,4}(\.\d{1,3})?$/.test(raw) ? Number(raw) : 0;
  if (value >= 0.1 && value <= 1_440) return value;
  throw new UsageError(`Cannot read --minutes "${raw}": must be a number, 0.1 to 1440`);
}

function parseClient(raw: string): ClientKind {
  const kind = CLIENT_KINDS.find((one) => one === raw);
  if (kind === undefined)
    throw new UsageError(`Cannot read --client "${raw}": must be one of ${CLIENT_KINDS.join(", ")}`);
  return kind;
}

function parseFaults(raw: string | undefined): readonly FaultName[] {
  if (raw === undefined) return FAULTS;
  if (raw === "none") return [];
  return raw.split(",").map((name) => {
    const known = FAULTS.find((fault) => fault === name.trim());
    if (known === undefined) throw new UsageError(`There is no fault "${name}"; --help names them all`);
    return known;
  });
}
