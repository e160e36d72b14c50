import type { EntryOf } from "../../history/entries.ts";
import { type Finding, Look } from "../finding.ts";
import type { Model, Sent } from "../model.ts";

/**
 * Nothing refused is visible: a message whose every attempt was answered with an error is in no history and in no view. One
 * attempt without an answer leaves open whether it was stored.
 */
export function refusedIsInvisible(model: Model): Finding {
  const look = new Look();
  const visible = new Map(model.of("message").map((message) => [`${message.room} ${message.content}`, message]));
  for (const sent of model.sent) {
    const { client, room, id, content, attempts, acks } = sent;
    if (acks.length > 0 || attempts.some(({ answer }) => answer !== "refused")) continue;
    look.at(() => {
      const seen = visible.get(`${room} ${content}`);
      if (seen === undefined || isSomeoneElses(model, sent)) return undefined;
      return {
        at: seen.at,
        client,
        room,
        seq: seen.seq,
        text: `message ${id} was refused and is visible at ${seen.seq}`,
      };
    });
  }
  return look;
}

function isSomeoneElses(model: Model, sent: Sent): boolean {
  return model.sendersOf(sent.room, sent.content).some((one) => one !== sent);
}

/** Nothing is visible that nobody sent to that room, and its author is the user of the token that sent it. */
export function visibleWasSent(model: Model): Finding {
  const look = new Look();
  for (const { at, room, seq, user, content, id } of model.of("message"))
    look.at(() => {
      const senders = model.sendersOf(room, content);
      if (senders.length === 0) return { at, room, seq, text: `${id} at ${seq} was sent by nobody` };
      if (senders.some((sender) => sender.user === user)) return undefined;
      return { at, room, seq, text: `${id} at ${seq} was sent by ${senders[0]?.user} and is shown as ${user}'s` };
    });
  return look;
}

/**
 * One socket's sends keep their order. Only messages that were sent once, and acked there, are compared: one that had to
 * be sent again may rightly come later. What was sent while frames were being lost or swapped is left out.
 */
export function sendsKeepTheirOrder(model: Model): Finding {
  const look = new Look();
  const last = new Map<string, { seq: number; id: string }>();
  for (const { client, room, id, attempts, acks } of model.sent) {
    const [attempt, ...retries] = attempts;
    const [ack] = acks;
    if (attempt === undefined || retries.length > 0 || ack === undefined || ack.socket !== attempt.socket) continue;
    if (model.wasDisturbed("mangles", room, attempt.at, ack.at)) continue;
    const key = `${attempt.socket} ${room}`;
    const before = last.get(key);
    last.set(key, { seq: ack.seq, id });
    if (before === undefined) continue;
    look.at(() => {
      if (ack.seq > before.seq) return undefined;
      const text = `${id} was sent after ${before.id} on the same socket, but is at ${ack.seq} and that at ${before.seq}`;
      return { at: ack.at, client, room, seq: ack.seq, text };
    });
  }
  return look;
}

/** How much longer than in the calm another room's acks may take. */
const SLOWER = 2;
/** A percentile of fewer acks than this says nothing. */
const LEAST_ACKS = 100;

/**
 * Faults that concern one room only leave the others alone: their ack p99 stays under twice that of the calm. Looked at
 * while no other fault is at work on which acks depend; on Postgres and Redis they do not.
 */
export function otherRoomsAreUnharmed(model: Model): Finding {
  const look = new Look();
  const spans = model.faults.filter(({ room, hadEffect }) => room !== undefined && hadEffect);
  const isCalmFor = (room: string | undefined) => (ack: TimedAck) =>
    model.isCalm(
      ack.at - ack.ms,
      ack.at,
      (fault) => fault.slowsAcks && (fault.room === undefined || fault.room === room),
    );
  const calm = isCalmFor(undefined);
  const during = ackTimes(model, (ack) => {
    const isBeside = spans.some(({ room, from, to }) => room !== ack.room && ack.at - ack.ms >= from && ack.at <= to);
    return isBeside && isCalmFor(ack.room)(ack);
  });
  const baseline = percentile(
    ackTimes(model, (ack) => calm(ack) && !spans.some(({ from, to }) => ack.at >= from && ack.at - ack.ms <= to)),
    0.99,
  );
  if (baseline === undefined || during.length < LEAST_ACKS) return look;
  look.lookedAt = during.length;
  const p99 = percentile(during, 0.99) ?? 0;
  const bound = Math.max(SLOWER * baseline, model.of("run")[0]?.bounds.fastAckMs ?? 0);
  if (p99 >= bound) {
    const numbers = [p99, baseline, bound].map((ms) => `${ms.toFixed(1)} ms`);
    look.found({
      text: `ack p99 of other rooms was ${numbers[0]}, in the calm ${numbers[1]}; the bound is ${numbers[2]}`,
    });
  }
  return look;
}

type TimedAck = EntryOf<"ack"> & { ms: number };

/** How long the acks took that fit; those of messages that were stored already are left out. */
export function ackTimes(model: Model, fits: (ack: TimedAck) => boolean = () => true): number[] {
  return model.of("ack").flatMap((ack) => {
    const timed = ack.ms === undefined ? undefined : { ...ack, ms: ack.ms };
    return timed !== undefined && !ack.duplicate && fits(timed) ? [timed.ms] : [];
  });
}

/** The same, while no fault was at work. */
export function calmAckTimes(model: Model): number[] {
  return ackTimes(model, ({ at, ms }) => model.isCalm(at - ms, at));
}

/** The nearest-rank percentile; undefined of nothing. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
