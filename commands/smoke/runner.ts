import { CheckSkipped, type Check, type Run } from "./check.ts";
import { CheckFailed } from "./check-failed.ts";
import { createHttpClient } from "./http-client.ts";
import type { SmokeOptions } from "./options.ts";

// Past its deadline a check still gets this long to say what it was waiting for.
const LAST_WORDS_MS = 500;

export interface CheckResult {
  group: string;
  name: string;
  status: "passed" | "failed" | "skipped";
  ms: number;
  /** A remark, or why it was skipped. */
  note?: string;
  expected?: string;
  came?: string;
  hint?: string;
}

/** Runs the checks in order, each with its own time limit, and closes what they opened. Never throws. */
export async function runChecks(
  checks: readonly Check[],
  options: SmokeOptions,
  onResult: (result: CheckResult) => void,
): Promise<CheckResult[]> {
  let deadline = AbortSignal.timeout(options.timeoutMs);
  const http = createHttpClient(options.url, () => deadline);
  const run: Run = { options, http, deadline, sockets: new Set() };
  const results: CheckResult[] = [];
  let isDead = false;
  for (const check of checks) {
    run.deadline = deadline = AbortSignal.timeout(options.timeoutMs);
    const { group, name } = check;
    const result: CheckResult = isDead
      ? { group, name, status: "skipped", ms: 0, note: "the service is not alive" }
      : conceal(await runCheck(check, run), secretsOf(run));
    isDead ||= check.isVital === true && result.status === "failed";
    results.push(result);
    onResult(result);
  }
  for (const socket of run.sockets) socket.close();
  return results;
}

async function runCheck(check: Check, run: Run): Promise<CheckResult> {
  const { group, name } = check;
  const startedAt = performance.now();
  const took = () => Math.round(performance.now() - startedAt);
  try {
    const note = await Promise.race([check.run(run), lateness(run)]);
    return { group, name, status: "passed", ms: took(), ...(typeof note === "string" && { note }) };
  } catch (error) {
    if (error instanceof CheckSkipped) return { group, name, status: "skipped", ms: took(), note: error.message };
    const { expected, came, hint } = asFailure(error, run);
    return { group, name, status: "failed", ms: took(), expected, came, hint };
  }
}

async function lateness({ deadline, options }: Run): Promise<never> {
  await new Promise((resolve) => deadline.addEventListener("abort", resolve));
  await new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS));
  throw new CheckFailed(
    `an answer within ${options.timeoutMs} ms`,
    "none",
    "is the deployment up, and is --timeout long enough?",
  );
}

function asFailure(error: unknown, { deadline, options }: Run): CheckFailed {
  if (error instanceof CheckFailed) return error;
  const what = error instanceof Error ? error.message : String(error);
  if (deadline.aborted)
    return new CheckFailed(`an answer within ${options.timeoutMs} ms`, "none", "is the deployment up, or slow?");
  return new CheckFailed(
    "the check to run to its end",
    what,
    "this is a fault of the smoke test itself; please report it",
  );
}

function secretsOf({ options, exchanged, people }: Run): string[] {
  const replies = [exchanged, people?.first, people?.second];
  const tokens = replies.flatMap((reply) => (reply === undefined ? [] : [reply.token, reply.wsToken]));
  return [options.sessionToken, options.apiKey, ...tokens].flatMap((secret) => secret ?? []);
}

// By value and by shape: a server may send back a token that this run has not seen.
function conceal(result: CheckResult, secrets: readonly string[]): CheckResult {
  const hide = (text: string) =>
    secrets
      .reduce((rest, secret) => (secret === "" ? rest : rest.replaceAll(secret, "[secret]")), text)
      .replace(/eyJ[\w-]{4,}\.[\w-]*(\.[\w-]*)?/g, "[token]")
      .replace(/chatsdk_(live|test)_\w[\w-]*/g, "[key]");
  const hidden: CheckResult = { ...result };
  // What a server said can hold a secret; a status or a check's name cannot.
  for (const name of ["note", "expected", "came", "hint"] as const)
    if (hidden[name] !== undefined) hidden[name] = hide(hidden[name]);
  return hidden;
}
