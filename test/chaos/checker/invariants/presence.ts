import type { EntryOf } from "../../history/entries.ts";
import { type Finding, Look } from "../finding.ts";
import type { Model } from "../model.ts";
import { readStays, type Stay } from "../views.ts";

/** A reconnect within this time shows nothing (5 s, less what it takes the room to hear of either). */
const UNSEEN_RETURN_MS = 4_000;

/** After 45 s presence equals the live sockets: in what every client believes, and in what HTTP answers. */
export function presenceIsTrue(model: Model): Finding {
  const look = new Look();
  const due = model.of("presence_due")[0]?.at;
  if (due === undefined) return look;
  const stays = readStays(model).filter(({ from, to }) => from <= due && to > due);
  const live = new Map<string, Set<string>>();
  for (const { client, room } of stays) live.set(room, (live.get(room) ?? new Set()).add(model.userOf(client)));
  const believed = readBeliefs(model, due);
  for (const { client, socket, room } of stays) {
    const self = model.userOf(client);
    const wanted = [...(live.get(room) ?? [])].filter((user) => user !== self);
    const given = [...(believed.get(`${socket} ${room}`) ?? [])].filter((user) => user !== self);
    look.at(() => differ(`${client} believes`, wanted, given, { at: due, client, room }));
  }
  for (const { at, room, online } of model.of("roster"))
    look.at(() => differ("HTTP says", [...(live.get(room) ?? [])], online, { at, room }));
  return look;
}

function differ(
  who: string,
  wanted: readonly string[],
  given: readonly string[],
  place: { at: number; room: string; client?: string },
): Finding["violations"][number] | undefined {
  const missing = wanted.filter((user) => !given.includes(user));
  const ghosts = given.filter((user) => !wanted.includes(user));
  if (missing.length + ghosts.length === 0) return undefined;
  return {
    ...place,
    text: `${who} that ${list(missing)} left and ${list(ghosts)} are there; the sockets say otherwise`,
  };
}

function list(users: readonly string[]): string {
  return users.length === 0
    ? "nobody"
    : users.slice(0, 5).join(", ") + (users.length > 5 ? ` and ${users.length - 5} more` : "");
}

/** Whom each socket's client believes to be in the room at a time, by what it was told. */
function readBeliefs(model: Model, until: number): Map<string, Set<string>> {
  const beliefs = new Map<string, Set<string>>();
  for (const entry of model.entries) {
    if (entry.at > until) break;
    if (entry.kind === "joined") beliefs.set(`${entry.socket} ${entry.room}`, new Set(entry.online));
    if (entry.kind !== "presence") continue;
    if (entry.whole === true) beliefs.set(`${entry.socket} ${entry.room}`, new Set());
    const belief = beliefs.get(`${entry.socket} ${entry.room}`);
    for (const user of entry.online) belief?.add(user);
    for (const user of entry.offline) belief?.delete(user);
  }
  return beliefs;
}

/** A reconnect within 5 s shows nothing: nobody is told that somebody left who was back in time. */
export function reconnectsAreUnseen(model: Model): Finding {
  const look = new Look();
  const byUser = new Map<string, Stay[]>();
  for (const stay of readStays(model)) {
    const key = `${model.userOf(stay.client)} ${stay.room}`;
    const list = byUser.get(key) ?? [];
    byUser.set(key, list);
    list.push(stay);
  }
  const told = new Map<string, EntryOf<"presence">[]>();
  for (const entry of model.of("presence"))
    for (const user of entry.offline) {
      const key = `${user} ${entry.room}`;
      const list = told.get(key) ?? [];
      told.set(key, list);
      list.push(entry);
    }
  for (const [key, stays] of byUser)
    for (const [at, stay] of stays.entries()) {
      const next = stays[at + 1];
      if (next === undefined || next.from - stay.to >= UNSEEN_RETURN_MS || next.from < stay.to) continue;
      // Frames that are late, or a stopped process, make a short absence a long one.
      if (model.wasDisturbed("delays", stay.room, stay.to - UNSEEN_RETURN_MS, next.from + UNSEEN_RETURN_MS)) continue;
      look.at(() => {
        const wrong = told
          .get(key)
          ?.find((entry) => entry.at > stay.to && entry.at < next.from + UNSEEN_RETURN_MS && entry.at < next.to);
        if (wrong === undefined) return undefined;
        const gone = Math.round(next.from - stay.to);
        return {
          at: wrong.at,
          client: wrong.client,
          room: wrong.room,
          text: `was told that ${key.split(" ")[0]} left, who was away for ${gone} ms`,
        };
      });
    }
  return look;
}
