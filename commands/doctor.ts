import { parseArgs } from "node:util";
import { readConfig } from "../domain/config.ts";
import { checkProduction, type Finding } from "./production-rules.ts";
import { readVariables, type Source } from "./read-variables.ts";
import { listSettings, type SettingRow } from "./settings-table.ts";

const HELP = `Usage: npm run doctor [-- OPTIONS]

Prints every setting and where it comes from (secrets are only measured), whether the service would start with them,
and whether production would be safe. Exits with 1 when it would not.

  --env-file FILE   read the settings from this file; else this shell's, else those of the running local stack
  --production      judge the settings as if ENVIRONMENT were "production"
  --data DIR        where the local stack keeps its data (default .data)
  --json            the same for machines
  --help            this text`;

const MARK = { ok: "ok  ", warn: "WARN", stop: "STOP" } as const;

interface Diagnosis {
  from: string;
  /** Whether the service starts with these settings, wherever it runs. */
  starts: boolean;
  /** Whether nothing stands against serving production with them. */
  safe: boolean;
  settings: SettingRow[];
  problems: { name: string; problem: string }[];
  findings: Finding[];
}

await main();

async function main(): Promise<void> {
  try {
    const options = readOptions();
    if (options.help === true) return console.log(HELP);
    const source = await readVariables({ envFile: options["env-file"], dataDir: options.data });
    const diagnosis = diagnose(source, options.production === true);
    console.log(options.json === true ? JSON.stringify(diagnosis, undefined, 2) : describe(diagnosis));
    process.exitCode = diagnosis.safe ? 0 : 1;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}; see npm run doctor -- --help`);
    process.exitCode = 2;
  }
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      "env-file": { type: "string" },
      production: { type: "boolean" },
      data: { type: "string", default: ".data" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  return values;
}

function diagnose({ from, variables }: Source, asProduction: boolean): Diagnosis {
  const judged = asProduction
    ? { ...variables, ENVIRONMENT: "production", STREAM_CHAT_ENVIRONMENT: undefined }
    : variables;
  const { problems } = readConfig(judged);
  const findings = checkProduction(judged, new Date());
  const starts = problems.length === 0;
  const safe = starts && findings.every(({ level }) => level !== "stop");
  return { from, starts, safe, settings: listSettings(judged), problems, findings };
}

function describe({ from, starts, safe, settings, problems, findings }: Diagnosis): string {
  const width = Math.max(...settings.map(({ name }) => name.length));
  const shownWidth = Math.max(...settings.map(({ shown }) => shown.length));
  return [
    `Settings of ${from}`,
    "",
    ...settings.map(
      ({ name, shown, from: origin }) => `  ${name.padEnd(width)}  ${shown.padEnd(shownWidth)}  ${origin}`,
    ),
    "",
    starts ? "The service starts with these settings." : "The service does not start with these settings:",
    ...problems.map(({ name, problem }) => `  STOP  ${name} ${problem}`),
    "",
    "For production:",
    ...findings.map(({ level, name, message }) => `  ${MARK[level]}  ${name} ${message}`),
    "",
    summary(safe, findings),
  ].join("\n");
}

function summary(safe: boolean, findings: Finding[]): string {
  const count = (level: Finding["level"]) => findings.filter((finding) => finding.level === level).length;
  if (safe) return `Production would be safe with these settings (${count("warn")} warnings).`;
  return `Production would NOT be safe with these settings: ${count("stop")} to mend, ${count("warn")} warnings.`;
}
