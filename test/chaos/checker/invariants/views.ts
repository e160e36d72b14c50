import type { EntryOf } from "../../history/entries.ts";
import { machineTimeAfter } from "../../history/machine-time.ts";
import { type Finding, Look } from "../finding.ts";
import type { Model } from "../model.ts";
import { readStays, readViews, type View } from "../views.ts";

/** How long after the last fault everybody may take to see the same. */
const CONVERGE_MS = 30_000;
/** A message more may be under way while the client's `received` is. */
const FLOW_SLACK = 64;

/**
 * Every client's view is a contiguous piece of the one order. Looked at once all faults are healed: until then a client
 * may still be filling a gap that it knows of.
 */
export function viewsAreContiguous(model: Model): Finding {
  const look = new Look();
  for (const view of readViews(model)) {
    // Who never says what was received does not look for what is missing either.
    if (!isStillThere(model, view) || model.clients.get(view.client)?.role === "deaf") continue;
    const seen = new Map(model.resolve([...view.messages]).map((message) => [message.seq, message]));
    const history = new Map((model.histories.get(view.room) ?? []).map((message) => [message.seq, message]));
    let last: number | undefined;
    for (const seq of [...seen.keys()].toSorted((one, other) => one - other)) {
      const place = { client: view.client, room: view.room, seq };
      const before = last;
      last = seq;
      look.at(() => {
        if (before !== undefined && seq !== before + 1)
          return { ...place, text: `never saw ${before + 1} to ${seq - 1}` };
        const kept = history.get(seq);
        if (kept === undefined) return { ...place, text: `saw ${seq}, which history does not have` };
        return kept.n === seen.get(seq)?.n
          ? undefined
          : { ...place, text: `saw another message at ${seq} than history has` };
      });
    }
  }
  return look;
}

/**
 * 30 s after healing all views are equal: everybody who is in a room has seen the newest message of its history. Seconds in
 * which the machine was measured to have no time do not count.
 */
export function viewsAreEqual(model: Model): Finding {
  const look = new Look();
  const healedAt = model.phase("healed");
  if (healedAt === undefined) return look;
  const until = machineTimeAfter(model.of("late"), healedAt, CONVERGE_MS);
  const views = new Map(readViews(model, until).map((view) => [`${view.client} ${view.room}`, view]));
  for (const { client, room } of lastStays(model)) {
    const head = model.histories.get(room)?.at(-1);
    if (head === undefined) continue;
    look.at(() => {
      if (!isStillThere(model, { client, room })) return { client, room, text: `was not in the room at the end` };
      if (views.get(`${client} ${room}`)?.messages.has(head.n) === true) return undefined;
      return { client, room, seq: head.seq, text: `has not seen the newest message (${head.seq}) 30 s after healing` };
    });
  }
  return look;
}

/**
 * What comes on one socket continues without a gap or a repeat, from the `room_joined` on. A shared socket that stays open
 * while its way to a room breaks is no exception. Only where a fault has lost, doubled or swapped frames is it forgiven, and
 * never to an SDK, which tells its app everything in order.
 */
export function streamsAreUnbroken(model: Model): Finding {
  const look = new Look();
  const next = new Map<string, { seq: number; at: number }>();
  for (const entry of model.entries) {
    if (entry.kind === "joined") {
      const last = model.messages.get(entry.messages.at(-1) ?? -1)?.seq;
      next.set(`${entry.socket} ${entry.room}`, { seq: Math.max(entry.seq, last ?? 0) + 1, at: entry.at });
    }
    if (entry.kind !== "saw") continue;
    const stream = next.get(`${entry.socket} ${entry.room}`);
    if (stream === undefined) {
      if (!model.wasDisturbed("mangles", entry.room, entry.at - FORGIVEN_MS, entry.until))
        look.found({ ...placeOf(entry), text: "got messages before it had joined" });
      continue;
    }
    const isForgiven = () =>
      model.clients.get(entry.client)?.sdk !== true &&
      model.wasDisturbed("mangles", entry.room, stream.at - FORGIVEN_MS, entry.until);
    for (const message of model.resolve(entry.messages)) {
      const expected = stream.seq;
      stream.seq = message.seq + 1;
      look.at(() => {
        if (message.seq === expected || isForgiven()) return undefined;
        return {
          ...placeOf(entry),
          seq: message.seq,
          text: `on one socket, ${message.seq} came where ${expected} should have`,
        };
      });
    }
    stream.at = entry.at;
  }
  return look;
}

/** A frame may be on its way that long after it was lost, doubled or swapped. */
const FORGIVEN_MS = 5_000;

/**
 * Resume is whole or says that it is not: with `recovered`, everything after `since` is there, and `since` is of this epoch.
 */
export function resumeIsHonest(model: Model): Finding {
  const look = new Look();
  for (const entry of model.of("joined")) {
    const { at, client, room, since, recovered, epoch, seq } = entry;
    const seqs = model.resolve(entry.messages).map((message) => message.seq);
    look.at(() => {
      const place = { at, client, room, seq };
      const hole = seqs.findIndex((one, index) => index > 0 && one !== (seqs[index - 1] ?? 0) + 1);
      if (hole !== -1)
        return { ...place, text: `joined with messages that leap from ${seqs[hole - 1]} to ${seqs[hole]}` };
      if (seqs.length > 0 && seqs.at(-1) !== seq)
        return { ...place, text: `joined at ${seq} with messages to ${seqs.at(-1)}` };
      if (!recovered) return undefined;
      if (since === undefined) return { ...place, text: "was told it had recovered, without having said from where" };
      if (since.epoch !== epoch)
        return { ...place, text: `recovered from a position of another epoch (${since.epoch})` };
      if (seqs.length === seq - since.seq) return undefined;
      return { ...place, text: `was told it had all after ${since.seq} to ${seq}, but got ${seqs.length} messages` };
    });
  }
  return look;
}

/**
 * Slow readers: a socket whose client does not say what it received is not pushed to beyond the bound, so a room's memory
 * does not grow with it. A client that has never said so acknowledges by whatever it sends.
 */
export function slowReadersAreHeld(model: Model): Finding {
  const look = new Look();
  const bound = model.of("run")[0]?.bounds.unacknowledged ?? Infinity;
  const acknowledged = new Map<string, number>();
  const deaf = new Set([...model.clients.values()].filter(({ role }) => role === "deaf").map(({ client }) => client));
  for (const entry of model.entries) {
    if (!("client" in entry) || !deaf.has(entry.client)) continue;
    if (entry.kind === "joined") acknowledged.set(`${entry.socket} ${entry.room}`, entry.seq);
    if (entry.kind === "received") {
      const key = `${entry.socket} ${entry.room}`;
      acknowledged.set(key, Math.max(acknowledged.get(key) ?? 0, entry.seq));
    }
    if (entry.kind !== "saw") continue;
    const from = acknowledged.get(`${entry.socket} ${entry.room}`) ?? 0;
    const last = Math.max(...model.resolve(entry.messages).map(({ seq }) => seq));
    look.at(() =>
      last - from <= bound + FLOW_SLACK
        ? undefined
        : { ...placeOf(entry), seq: last, text: `was pushed ${last - from} messages past what it said it had` },
    );
  }
  return look;
}

function placeOf({ at, client, room }: EntryOf<"saw">): { at: number; client: string; room: string } {
  return { at, client, room };
}

/** Whether the client was in the room when the run ended. */
function isStillThere(model: Model, { client, room }: Pick<View, "client" | "room">): boolean {
  const endedAt = model.phase("settled") ?? Infinity;
  return staysOf(model).some(
    (stay) => stay.client === client && stay.room === room && stay.from <= endedAt && stay.to >= endedAt,
  );
}

/** The rooms that each rule-abiding client was ever in and has not left by its own will. */
function lastStays(model: Model): { client: string; room: string }[] {
  const left = new Set(model.of("left").flatMap(({ client, room, wanted }) => (wanted ? [`${client} ${room}`] : [])));
  const stays = new Map(staysOf(model).map(({ client, room }) => [`${client} ${room}`, { client, room }]));
  const isGone = goneClients(model);
  return [...stays].flatMap(([key, stay]) =>
    left.has(key) || isGone.has(stay.client) || model.clients.get(stay.client)?.role !== "member" ? [] : [stay],
  );
}

/** Clients that closed their last socket themselves. */
function goneClients(model: Model): Set<string> {
  const last = new Map<string, EntryOf<"closed"> | EntryOf<"opened">>();
  const settledAt = model.phase("settled") ?? Infinity;
  for (const entry of model.entries) {
    if (entry.at > settledAt) break;
    if (entry.kind === "opened" || entry.kind === "closed") last.set(entry.client, entry);
  }
  return new Set([...last].flatMap(([client, entry]) => (entry.kind === "closed" && entry.wanted ? [client] : [])));
}

const stays = new WeakMap<Model, ReturnType<typeof readStays>>();

function staysOf(model: Model): ReturnType<typeof readStays> {
  const known = stays.get(model) ?? readStays(model);
  stays.set(model, known);
  return known;
}
