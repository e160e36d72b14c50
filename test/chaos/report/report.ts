import type { Verdict } from "../checker/check.ts";
import { ackTimes, calmAckTimes, percentile } from "../checker/invariants/sends.ts";
import { Model } from "../checker/model.ts";
import type { Entry } from "../history/entries.ts";

export interface AckFigures {
  count: number;
  p50: number;
  p95: number;
  p99: number;
}

/** What a run came to, in numbers. */
export interface Figures {
  seed: number;
  command: string;
  seconds: number;
  /** Faults by name: how many there were, and how many of them hit something. */
  faults: Record<string, { injected: number; effective: number }>;
  injected: number;
  effective: number;
  sent: number;
  acked: number;
  /** Acks that said the message was there already. */
  duplicates: number;
  refused: Record<string, number>;
  seen: number;
  socketsLost: number;
  acksMs: { calm: AckFigures; faults: AckFigures };
  memoryMiB: number;
  settledMs: number | undefined;
}

export function computeFigures(entries: readonly Entry[]): Figures {
  const model = new Model(entries);
  const faults: Figures["faults"] = {};
  for (const { name, hadEffect } of model.faults) {
    const line = (faults[name] ??= { injected: 0, effective: 0 });
    line.injected += 1;
    if (hadEffect) line.effective += 1;
  }
  const refused: Record<string, number> = {};
  for (const { code } of model.of("refusal")) refused[code] = (refused[code] ?? 0) + 1;
  const [run] = model.of("run");
  const [healedAt, settledAt] = [model.phase("healed"), model.phase("settled")];
  return {
    seed: run?.seed ?? 0,
    command: run?.command ?? "",
    seconds: Math.round((entries.at(-1)?.at ?? 0) / 1_000),
    faults,
    injected: model.faults.length,
    effective: model.faults.filter(({ hadEffect }) => hadEffect).length,
    sent: model.sent.length,
    acked: model.sent.filter(({ acks }) => acks.length > 0).length,
    duplicates: model.of("ack").filter(({ duplicate }) => duplicate).length,
    refused,
    seen: model.of("saw").reduce((sum, { messages }) => sum + messages.length, 0),
    socketsLost: model.of("closed").filter(({ wanted }) => !wanted).length,
    acksMs: {
      calm: toFigures(calmAckTimes(model)),
      faults: toFigures(ackTimes(model, ({ at, ms }) => !model.isCalm(at - ms, at))),
    },
    memoryMiB: Math.round(Math.max(0, ...model.of("memory").map(({ bytes }) => bytes)) / 1024 / 1024),
    settledMs: healedAt === undefined || settledAt === undefined ? undefined : Math.round(settledAt - healedAt),
  };
}

function toFigures(times: readonly number[]): AckFigures {
  const at = (share: number) => percentile(times, share) ?? 0;
  return { count: times.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** How many violations of one invariant are told in full. */
const TOLD = 5;

/** The whole result as text. */
export function formatReport(figures: Figures, verdicts: readonly Verdict[], historyFile: string | undefined): string {
  const counts = verdicts.map(({ violations }) => violations.length).filter((count) => count > 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return [
    "Faults (injected, with effect)",
    ...Object.entries(figures.faults)
      .toSorted(([one], [other]) => one.localeCompare(other))
      .map(([name, { injected, effective }]) => line(name, injected, effective)),
    line("all of them", figures.injected, figures.effective),
    "",
    "Messages",
    line("sent", figures.sent),
    line("acked", figures.acked),
    line("acked again", figures.duplicates),
    ...Object.entries(figures.refused).map(([code, count]) => line(`refused ${code}`, count)),
    line("deliveries", figures.seen),
    line("sockets lost", figures.socketsLost),
    formatAcks("acks in the calm", figures.acksMs.calm),
    formatAcks("acks during faults", figures.acksMs.faults),
    line("rooms' memory at most, MiB", figures.memoryMiB),
    line("settled after healing, ms", figures.settledMs ?? "not"),
    "",
    "Invariants (looked at, violations)",
    ...verdicts.map(({ name, lookedAt, violations }) =>
      line(
        `${violations.length > 0 ? "✗" : lookedAt > 0 ? "✓" : "-"} ${name}`,
        lookedAt === 0 ? "nothing" : lookedAt,
        violations.length,
      ),
    ),
    "",
    ...formatViolations(verdicts),
    total === 0 ? "0 violations" : `${total} violations of ${counts.length} invariants`,
    ...(historyFile === undefined ? [] : [`History: ${historyFile}`]),
    `Again: ${figures.command}`,
  ].join("\n");
}

/** The lines that say what was violated; none when nothing was. */
export function formatViolations(verdicts: readonly Verdict[]): string[] {
  return verdicts.filter(({ violations }) => violations.length > 0).flatMap(formatBroken);
}

function formatBroken({ name, violations }: Verdict): string[] {
  const told = violations.slice(0, TOLD).map(({ text, at, room, client }) => {
    const where = [at === undefined ? undefined : `${(at / 1_000).toFixed(1)} s`, room, client].filter(
      (part) => part !== undefined,
    );
    return `  ${where.join(" ")}${where.length > 0 ? ": " : ""}${text}`;
  });
  const more = violations.length > TOLD ? [`  and ${violations.length - TOLD} more`] : [];
  return [`Violated: ${name}`, ...told, ...more, ""];
}

function formatAcks(label: string, { count, p50, p95, p99 }: AckFigures): string {
  const ms = (value: number) => value.toFixed(1);
  return `${line(label, count)}   p50 ${ms(p50)} ms, p95 ${ms(p95)} ms, p99 ${ms(p99)} ms`;
}

function line(label: string, ...values: (number | string)[]): string {
  return `  ${label.padEnd(44)}${values.map((value) => String(value).padStart(10)).join("")}`;
}
