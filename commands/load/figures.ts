import type { Log } from "./talker.ts";

/** What one room's clients saw, and what its history holds. */
export interface RoomOutcome {
  logs: readonly Log[];
  /** Message ids in the history's order. */
  history: readonly string[];
}

export interface Figures {
  sent: number;
  acked: number;
  refused: Record<string, number>;
  /** Neither acked nor refused when time was up. */
  unanswered: number;
  delivered: number;
  /** Deliveries of acked messages that never came. */
  missing: number;
  /** Deliveries that came again. */
  duplicated: number;
  outOfOrder: number;
  /** Acked messages that the history does not hold, or holds twice. */
  notInHistory: number;
  twiceInHistory: number;
  closedEarly: number;
  ackMs: { p50: number; p95: number; p99: number; max: number };
}

/** Adds up what was seen. Whatever was acked must have reached every client of its room, once. */
export function computeFigures(
  rooms: readonly RoomOutcome[],
  counts: Pick<Figures, "sent" | "unanswered" | "closedEarly">,
): Figures {
  const logs = rooms.flatMap((room) => room.logs);
  const delays = logs.flatMap(({ acked }) => [...acked.values()].map(({ ackMs }) => ackMs)).toSorted((a, b) => a - b);
  const refused: Record<string, number> = {};
  for (const [code, count] of logs.flatMap((log) => [...log.refused])) refused[code] = (refused[code] ?? 0) + count;
  const sum = (of: (room: RoomOutcome) => number) => rooms.reduce((total, room) => total + of(room), 0);
  return {
    ...counts,
    acked: delays.length,
    refused,
    delivered: sum((room) => room.logs.reduce((total, { heard }) => total + heard.length, 0)),
    missing: sum(countMissing),
    duplicated: sum((room) => room.logs.reduce((total, { heard }) => total + heard.length - new Set(heard).size, 0)),
    outOfOrder: logs.reduce((total, log) => total + log.outOfOrder, 0),
    notInHistory: sum(({ logs, history }) => countUnkept(logs, new Set(history))),
    twiceInHistory: sum(({ history }) => history.length - new Set(history).size),
    ackMs: { p50: at(delays, 0.5), p95: at(delays, 0.95), p99: at(delays, 0.99), max: at(delays, 1) },
  };
}

/** Whether every promise was kept. Refusals keep it: they say that nothing was stored. */
export function isClean(figures: Figures): boolean {
  const { acked, missing, duplicated, outOfOrder, notInHistory, twiceInHistory, unanswered, closedEarly } = figures;
  return (
    acked > 0 && missing + duplicated + outOfOrder + notInHistory + twiceInHistory + unanswered + closedEarly === 0
  );
}

/** The figures of a run, a line each. */
export function formatFigures({ refused, ackMs, ...counts }: Figures): string {
  const labels: Record<keyof typeof counts, string> = {
    sent: "sent",
    acked: "acked",
    unanswered: "unanswered",
    delivered: "delivered",
    missing: "missing deliveries",
    duplicated: "doubled deliveries",
    outOfOrder: "out of order",
    notInHistory: "missing in history",
    twiceInHistory: "doubled in history",
    closedEarly: "sockets lost",
  };
  const lines = Object.entries(labels).map(
    ([name, label]) => `${label.padEnd(20)} ${String(counts[name as keyof typeof counts]).padStart(8)}`,
  );
  const refusals = Object.entries(refused).map(
    ([code, count]) => `${`refused ${code}`.padEnd(20)} ${String(count).padStart(8)}`,
  );
  const delays = Object.entries(ackMs).map(
    ([name, ms]) => `${`ack ${name}`.padEnd(20)} ${ms.toFixed(1).padStart(8)} ms`,
  );
  return [...lines, ...refusals, ...delays].join("\n");
}

function countMissing({ logs }: RoomOutcome): number {
  const acked = idsOf(logs);
  return logs
    .map(({ heard }) => new Set(heard))
    .reduce((sum, heard) => sum + acked.filter((id) => !heard.has(id)).length, 0);
}

function countUnkept(logs: readonly Log[], history: ReadonlySet<string>): number {
  return idsOf(logs).filter((id) => !history.has(id)).length;
}

function idsOf(logs: readonly Log[]): string[] {
  return logs.flatMap(({ acked }) => [...acked.keys()]);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
