import { spawn } from "node:child_process";
import { delimiter, resolve } from "node:path";

const HELP = `Usage: npm run check [-- --fast]

What CI runs: types, lint, format, dead code, tests. Goes on to the end whatever fails, and shows the output of what did.
The last line is "N passed, N failed": every test, and each of the other steps, counts as one.

  --fast   everything but the tests
  --help   this text`;

const STEPS = [
  { name: "types", command: ["tsc"] },
  { name: "lint", command: ["oxlint"] },
  { name: "format", command: ["oxfmt", "--check"] },
  { name: "dead code", command: ["knip"] },
] as const;

const CLOSING = /^(\d+) passed, (\d+) failed(.*)$/;

await main(process.argv.slice(2));

async function main(args: string[]): Promise<void> {
  if (args.includes("--help") || args.includes("-h")) return console.log(HELP);
  const unknown = args.find((arg) => arg !== "--fast");
  if (unknown !== undefined) {
    console.error(`Cannot take "${unknown}"; see npm run check -- --help`);
    process.exitCode = 2;
    return;
  }
  const total = { passed: 0, failed: 0, more: "" };
  for (const step of STEPS) {
    const { ok } = await runStep(step.name, step.command, false);
    total[ok ? "passed" : "failed"] += 1;
  }
  if (!args.includes("--fast")) {
    const { ok, closing } = await runStep("tests", ["node", "commands/test.ts"], true);
    const [, passed = "0", failed = "0", more = ""] = CLOSING.exec(closing) ?? [];
    total.passed += Number(passed);
    total.failed += ok ? 0 : Math.max(Number(failed), 1);
    total.more = more;
  }
  console.log(`${total.passed} passed, ${total.failed} failed${total.more}`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

/** Runs one step, and prints one line about it. Its output is shown while it runs, or only when it failed. */
async function runStep(
  name: string,
  command: readonly string[],
  live: boolean,
): Promise<{ ok: boolean; closing: string }> {
  const startedAt = Date.now();
  const { ok, output, closing } = await run(command, live);
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
  if (!ok && !live) console.log(output.trimEnd());
  console.log(`${ok ? "ok    " : "FAILED"}  ${name.padEnd(10)} ${seconds.padStart(6)} s`);
  return { ok, closing };
}

async function run(
  command: readonly string[],
  live: boolean,
): Promise<{ ok: boolean; output: string; closing: string }> {
  const [program = "", ...args] = command;
  const path = `${resolve("node_modules/.bin")}${delimiter}${process.env["PATH"] ?? ""}`;
  const child = spawn(program, args, { env: { ...process.env, PATH: path }, stdio: ["ignore", "pipe", "pipe"] });
  const lines = gatherLines(live);
  child.stdout.setEncoding("utf8").on("data", (text: string) => lines.add(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => lines.add(text));
  const code = await new Promise<number>((done) => {
    child.once("error", (error) => {
      lines.add(`Cannot run ${program}: ${error.message}; run npm ci first\n`);
      done(1);
    });
    child.once("close", (status) => done(status ?? 1));
  });
  return { ok: code === 0, ...lines.end() };
}

/** Gathers what a step prints, and holds back its closing line so that there is only one, at the very end. */
function gatherLines(live: boolean) {
  const gathered = { output: "", closing: "" };
  let unfinished = "";
  const take = (line: string): void => {
    if (CLOSING.test(line)) gathered.closing = line;
    else if (live) console.log(line);
    else gathered.output += `${line}\n`;
  };
  return {
    add(text: string): void {
      const lines = (unfinished + text).split("\n");
      unfinished = lines.pop() ?? "";
      for (const line of lines) take(line);
    },
    end(): { output: string; closing: string } {
      if (unfinished !== "") take(unfinished);
      return gathered;
    },
  };
}
