import type { CheckResult } from "./runner.ts";

const MARKS = { passed: "ok  ", failed: "FAIL", skipped: "skip" } as const;
const NAME_WIDTH = 56;

/** A check's lines for people. */
export function formatResult({ name, status, ms, note, expected, came, hint }: CheckResult): string {
  const time = status === "skipped" ? "" : `${ms} ms`;
  const line = `${MARKS[status]}  ${name.padEnd(NAME_WIDTH)} ${time.padStart(9)}${note === undefined ? "" : `  ${note}`}`;
  const details = Object.entries({ expected, came, hint }).filter(([, text]) => text !== undefined);
  return [line.trimEnd(), ...details.map(([label, text]) => `      ${label.padEnd(9)} ${text}`)].join("\n");
}

/** How many checks ended so. */
export function count(results: readonly CheckResult[], status: CheckResult["status"]): number {
  return results.filter((result) => result.status === status).length;
}

/** The last line. */
export function formatSummary(results: readonly CheckResult[], ms: number): string {
  const [passed, failed, skipped] = (["passed", "failed", "skipped"] as const).map((status) => count(results, status));
  return `${passed} passed, ${failed} failed, ${skipped} skipped in ${(ms / 1_000).toFixed(1)} s`;
}

/** The report for machines. */
export function toJson(url: URL, startedAt: Date, ms: number, results: readonly CheckResult[]): string {
  const counts = {
    passed: count(results, "passed"),
    failed: count(results, "failed"),
    skipped: count(results, "skipped"),
  };
  return `${JSON.stringify({ url: url.href, startedAt, ms: Math.round(ms), ...counts, checks: results }, null, 2)}\n`;
}

/** JUnit XML, as CI systems read it. */
export function toJunit(url: URL, startedAt: Date, ms: number, results: readonly CheckResult[]): string {
  const failed = count(results, "failed");
  const skipped = count(results, "skipped");
  const totals = `tests="${results.length}" failures="${failed}" errors="0" skipped="${skipped}" time="${ms / 1_000}"`;
  const suite = `name="parley smoke" hostname="${xml(url.host)}" timestamp="${startedAt.toISOString()}" ${totals}`;
  const cases = results.map(toTestCase).join("\n");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${totals}>\n<testsuite ${suite}>\n${cases}\n</testsuite>\n</testsuites>\n`;
}

function toTestCase({ group, name, status, ms, note, expected, came, hint }: CheckResult): string {
  const open = `<testcase classname="smoke.${xml(group)}" name="${xml(name)}" time="${ms / 1_000}">`;
  if (status === "skipped") return `${open}<skipped message="${xml(note ?? "")}"/></testcase>`;
  if (status === "passed")
    return `${open}${note === undefined ? "" : `<system-out>${xml(note)}</system-out>`}</testcase>`;
  const text = `expected ${expected}\ncame ${came}\nhint ${hint}`;
  return `${open}<failure type="CheckFailed" message="${xml(`expected ${expected}, came ${came}`)}">${xml(text)}</failure></testcase>`;
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;" };

// XML 1.0 has no way at all to write most control characters, lone surrogates and the two non-characters.
function xml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"\n]/g, (found) => ENTITIES[found] ?? found);
}
