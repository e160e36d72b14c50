import type { EntryOf } from "../../history/entries.ts";
import { type Finding, Look } from "../finding.ts";
import type { Model, Sent } from "../model.ts";
import { readViews } from "../views.ts";

/**
 * No acked message is missing from history: at the end it is there, in the room it was sent to, at the position that the
 * ack named, with what was sent.
 */
export function ackedIsKept(model: Model): Finding {
  const look = new Look();
  const kept = new Map([...model.histories].map(([room, all]) => [room, new Map(all.map((one) => [one.seq, one]))]));
  const contents = contentsById(model);
  for (const { client, user, room, id, acks } of model.sent) {
    const [ack] = acks;
    if (ack === undefined) continue;
    const place = { at: ack.at, client, room, seq: ack.seq };
    look.at(() => {
      const found = kept.get(room)?.get(ack.seq);
      const name = `message ${id}, acked at ${ack.seq},`;
      if (found === undefined) return { ...place, text: `${name} is not in history` };
      const isOne = contents.get(`${client} ${room} ${id}`)?.has(found.content) === true;
      if (!isOne || found.user !== user)
        return { ...place, text: `${name} is in history as another one, by ${found.user}` };
      return undefined;
    });
  }
  return look;
}

/** Every room's history was read to its end over HTTP and in Postgres: without that, nothing is known about the rest. */
export function historyWasRead(model: Model): Finding {
  const look = new Look();
  const rooms = new Set(model.of("joined").map(({ room }) => room));
  const read = new Set(model.of("history").map(({ room, source }) => `${source} ${room}`));
  for (const room of rooms)
    for (const source of ["http", "postgres"])
      look.at(() => (read.has(`${source} ${room}`) ? undefined : { room, text: `was not read (${source})` }));
  return look;
}

/** The same `(user, clientMessageId)` is one message: it is not twice in history, nor in any client's view. */
export function sentOnceIsKeptOnce(model: Model): Finding {
  const look = new Look();
  for (const [room, all] of model.histories) lookForTwo(look, model, all, (seq) => ({ room, seq, text: "in history" }));
  for (const { client, room, messages } of readViews(model))
    lookForTwo(look, model, model.resolve([...messages]), (seq) => ({
      client,
      room,
      seq,
      text: `in the view of ${client}`,
    }));
  return look;
}

function lookForTwo(
  look: Look,
  model: Model,
  messages: readonly EntryOf<"message">[],
  where: (seq: number) => Finding["violations"][number],
): void {
  const places = new Map<Sent, number>();
  for (const message of messages) {
    const { seq } = message;
    const sent = model.sendingOf(message);
    if (sent === undefined) continue;
    const before = places.get(sent);
    if (before === undefined) {
      places.set(sent, seq);
      look.lookedAt += 1;
    } else if (before !== seq) {
      const place = where(seq);
      look.found({
        ...place,
        text: `message ${sent.id} of ${sent.user} is twice ${place.text}: at ${before} and at ${seq}`,
      });
    }
  }
}

/** `seq` is 1..head without gaps, and one `seq` has one content for ever, whoever looks and wherever. */
export function orderHasNoGaps(model: Model): Finding {
  const look = new Look();
  for (const [room, all] of model.histories) {
    let expected = 1;
    for (const { seq } of all) {
      look.at(() =>
        seq === expected ? undefined : { room, seq, text: `history goes on at ${seq} instead of ${expected}` },
      );
      expected = seq + 1;
    }
  }
  const first = new Map<string, EntryOf<"message">>();
  for (const message of model.of("message")) {
    const { room, seq, at } = message;
    const before = first.get(`${room} ${seq}`);
    if (before === undefined) first.set(`${room} ${seq}`, message);
    else
      look.found({
        at,
        room,
        seq,
        text: `${before.id} and ${message.id} were both seen at ${seq}, or with two contents`,
      });
  }
  return look;
}

/** An ack's `seq` and message id never change: every ack of one message says the same. */
export function acksAgree(model: Model): Finding {
  const look = new Look();
  for (const { acks, client, room, id } of model.sent) {
    const [first, ...others] = acks;
    if (first === undefined) continue;
    look.lookedAt += 1;
    for (const other of others)
      if (other.seq !== first.seq || other.message !== first.message)
        look.found({
          at: other.at,
          client,
          room,
          seq: other.seq,
          text: `message ${id} was acked at ${first.seq} and later at ${other.seq}`,
        });
  }
  return look;
}

/**
 * A page of history holds what was acked before it was asked for, and has no hole, though Postgres may be away or behind.
 */
export function pagesHoldWhatWasAcked(model: Model): Finding {
  const look = new Look();
  const heads = headsOverTime(model);
  for (const page of model.of("page")) {
    const head = headAt(heads.get(page.room) ?? [], page.askedAt);
    look.at(() => {
      const problem = problemOfPage(model, page, head);
      const { at, client, room } = page;
      return problem === undefined ? undefined : { at, client, room, text: problem };
    });
  }
  return look;
}

function problemOfPage(model: Model, page: EntryOf<"page">, head: number): string | undefined {
  const { after, before, limit } = page;
  const seqs = model.resolve(page.messages).map(({ seq }) => seq);
  const what = `the page after ${after ?? "-"}, before ${before ?? "-"}`;
  const hole = seqs.findIndex((seq, at) => at > 0 && seq !== (seqs[at - 1] ?? 0) + 1);
  if (hole !== -1) return `${what} leaps from ${seqs[hole - 1]} to ${seqs[hole]}`;
  const last = Math.min(head, (before ?? Infinity) - 1);
  const first = (after ?? 0) + 1;
  if (last < first) return undefined;
  if (seqs.length === 0) return `${what} is empty, though ${last} was acked`;
  if (after !== undefined && before === undefined) {
    if (seqs[0] !== first) return `${what} begins at ${seqs[0]}`;
    if (seqs.length < limit && (seqs.at(-1) ?? 0) < last)
      return `${what} ends at ${seqs.at(-1)}, though ${last} was acked`;
    return undefined;
  }
  if ((seqs.at(-1) ?? 0) < last) return `${what} ends at ${seqs.at(-1)}, though ${last} was acked`;
  if (seqs.length < limit && (seqs[0] ?? 0) > first) return `${what} begins at ${seqs[0]}`;
  return undefined;
}

interface Head {
  at: number;
  seq: number;
}

/** The highest acked position of each room as time went on. */
export function headsOverTime(model: Model): Map<string, Head[]> {
  const heads = new Map<string, Head[]>();
  for (const { at, room, seq } of model.of("ack")) {
    const list = heads.get(room) ?? [];
    heads.set(room, list);
    if (seq > (list.at(-1)?.seq ?? 0)) list.push({ at, seq });
  }
  return heads;
}

/** The highest position acked before a time; 0 when there was none. */
export function headAt(heads: readonly Head[], at: number): number {
  let [low, high] = [0, heads.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((heads[middle]?.at ?? Infinity) < at) low = middle + 1;
    else high = middle;
  }
  return heads[low - 1]?.seq ?? 0;
}

/** What was sent under each id. Where it is more than one thing, an ack does not say which of them it is for. */
function contentsById(model: Model): ReadonlyMap<string, ReadonlySet<string>> {
  const contents = new Map<string, Set<string>>();
  for (const { client, room, id, content } of model.sent) {
    const key = `${client} ${room} ${id}`;
    contents.set(key, (contents.get(key) ?? new Set()).add(content));
  }
  return contents;
}
