import { type Finding, Look } from "../finding.ts";
import type { Model } from "../model.ts";
import { headAt, headsOverTime } from "./history.ts";

/** The outbox stays in its bounds: never more than so many acked messages of a room wait for Postgres. */
export function outboxStaysInBounds(model: Model): Finding {
  const look = new Look();
  const bound = model.of("run")[0]?.bounds.waiting ?? Infinity;
  const heads = headsOverTime(model);
  for (const { at, room, last } of model.of("rows"))
    look.at(() => {
      const waiting = headAt(heads.get(room) ?? [], at) - last;
      return waiting <= bound ? undefined : { at, room, seq: last, text: `${waiting} messages wait for Postgres` };
    });
  return look;
}

/**
 * The outbox drains in order: at every look Postgres holds 1 to something, without a hole. Rows that a fault makes
 * Postgres refuse may come later, or never.
 */
export function outboxDrainsInOrder(model: Model): Finding {
  const look = new Look();
  const refused = refusedSeqs(model);
  for (const { at, room, after, count, first, last } of model.of("rows")) {
    if (count === 0) continue;
    look.at(() => {
      const missing = last - after - count;
      let excused = 0;
      for (let seq = after + 1; seq <= last; seq++) if (refused.has(`${room} ${seq}`)) excused += 1;
      if (missing <= excused) return undefined;
      return {
        at,
        room,
        seq: first,
        text: `Postgres has ${count} of the ${last - after} rows from ${after + 1} to ${last}`,
      };
    });
  }
  return look;
}

/** How long after a fault a message that came during it may be seen first. */
const SEEN_WITHIN_MS = 2_000;

/** Rows that Postgres was made to refuse: those a fault was about that were handed over while it was at work. */
function refusedSeqs(model: Model): Set<string> {
  const refused = new Set<string>();
  for (const { fault, messages } of model.of("refused_rows")) {
    const span = model.faults.find((one) => one.fault === fault);
    if (span === undefined) continue;
    const stored = new Map<string, number>();
    for (const { at, room, last } of model.of("rows")) if (at < span.from) stored.set(room, last);
    for (const { at, room, seq } of model.resolve(messages))
      if (seq > (stored.get(room) ?? 0) && at <= span.to + SEEN_WITHIN_MS) refused.add(`${room} ${seq}`);
  }
  return refused;
}

/** At the end everything is in Postgres that is in history: store, then tell, then hand over. */
export function outboxDrains(model: Model): Finding {
  const look = new Look();
  const refused = refusedSeqs(model);
  for (const { room, source, messages } of model.of("history")) {
    if (source !== "postgres") continue;
    const rows = new Set(messages);
    for (const { n, seq } of model.histories.get(room) ?? [])
      look.at(() =>
        rows.has(n) || refused.has(`${room} ${seq}`) ? undefined : { room, seq, text: `${seq} did not reach Postgres` },
      );
  }
  return look;
}

/** The rooms' process stays under its memory bound. */
export function memoryStaysInBounds(model: Model): Finding {
  const look = new Look();
  const bound = model.of("run")[0]?.bounds.memoryBytes ?? Infinity;
  for (const { at, bytes } of model.of("memory"))
    look.at(() =>
      bytes <= bound
        ? undefined
        : { at, text: `the rooms hold ${mebibytes(bytes)} MiB, the bound is ${mebibytes(bound)}` },
    );
  return look;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

/** No answer is a 5xx other than 503, and no socket is closed with `internal`. */
export function answersAreHonest(model: Model): Finding {
  const look = new Look();
  for (const { at, route, status, code } of model.of("request"))
    look.at(() =>
      status < 500 || status === 503 ? undefined : { at, text: `${route} answered ${status} (${code ?? "no code"})` },
    );
  for (const { at, client, room, code } of [...model.of("error"), ...model.of("refusal")])
    look.at(() => (code === "internal" ? { at, client, room, text: "was told of an internal error" } : undefined));
  return look;
}

/** No secret appears anywhere: not in an answer, not in a frame, not in a line of a log. */
export function secretsAreKept(model: Model): Finding {
  const look = new Look();
  // Every answer and every frame was searched before it was written down here.
  look.lookedAt = model.of("request").length + model.of("saw").length + model.of("joined").length;
  for (const { at, where, secret } of model.of("leak")) look.found({ at, text: `${secret} stands in ${where}` });
  return look;
}
