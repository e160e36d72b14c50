import type { ChaosHttp } from "../clients/http.ts";
import { startPatience } from "../history/machine-time.ts";
import type { Recorder, VisibleMessage } from "../history/recorder.ts";
import type { FaultOptions } from "../world/types.ts";
import type { Actor } from "./cast.ts";
import type { Watch } from "./watch.ts";

const LOOK_MS = 100;
/** What the design gives everybody to see the same after healing, on a machine that has time. */
const SETTLE_MS = 30_000;
/** After this nobody may be believed to be somewhere they are not, whatever has become of them. */
export const PRESENCE_MS = 47_000;
/** A refused row is offered again after a minute of machine time. */
const ROWS_MS = 90_000;
const PAGE = 200;
const ATTEMPTS = 60;

export interface FinishDeps {
  actors: readonly Actor[];
  rooms: readonly string[];
  recorder: Recorder;
  http: ChaosHttp;
  watch: Watch;
  /** Faults that have made Postgres refuse rows, by their number in the history. */
  refusals: ReadonlyMap<number, FaultOptions>;
}

/**
 * Waits until everybody has been answered and has seen the same, at most 30 s of machine time, or until it is over.
 *
 * @returns what is still missing.
 */
export async function settle(
  { actors, rooms, recorder, watch }: FinishDeps,
  patienceMs: number = SETTLE_MS,
  over?: AbortSignal,
): Promise<string[]> {
  const isLongEnough = startPatience(recorder, patienceMs);
  for (;;) {
    const missing = findMissing(actors, rooms, watch);
    if (missing.length === 0 || isLongEnough() || over?.aborted === true) {
      recorder.flush();
      recorder.write({ kind: "phase", phase: "settled" });
      return missing;
    }
    await sleep(LOOK_MS);
  }
}

function findMissing(actors: readonly Actor[], rooms: readonly string[], watch: Watch): string[] {
  const members = actors.filter(
    ({ client, isGone }) => client.options.role === "member" && client.stoppedWith === undefined && !isGone,
  );
  const missing: string[] = [];
  for (const room of rooms) {
    const here = members.filter((actor) => actor.rooms.includes(room));
    const head = Math.max(0, ...here.map(({ client }) => client.headOf(room)));
    for (const { client } of here) {
      if (!client.isIn(room)) missing.push(`${client.options.name} is not in ${room}`);
      else if (client.headOf(room) < head)
        missing.push(`${client.options.name} is at ${client.headOf(room)} of ${head} in ${room}`);
    }
    if (watch.lastRow(room) < head) missing.push(`Postgres is at ${watch.lastRow(room)} of ${head} in ${room}`);
  }
  for (const { client } of members)
    if (client.waiting > 0) missing.push(`${client.options.name} waits for ${client.waiting} answers`);
  return missing;
}

/** Where rows were refused: waits until they have been offered again and taken. @returns what rooms still lack */
export async function untilRowsAreThere(
  { actors, rooms, recorder, watch, refusals }: FinishDeps,
  over: AbortSignal,
): Promise<string[]> {
  if (refusals.size === 0) return [];
  const isLongEnough = startPatience(recorder, ROWS_MS);
  for (;;) {
    const counts = (await attempt(() => watch.countRows())) ?? new Map<string, number>();
    const lacking = rooms.flatMap((room) => {
      const head = Math.max(
        0,
        ...actors.map(({ client, rooms: own }) => (own.includes(room) ? client.headOf(room) : 0)),
      );
      const lacks = head - (counts.get(room) ?? 0);
      return lacks > 0 ? [`${lacks} of ${room}`] : [];
    });
    if (lacking.length === 0 || isLongEnough() || over.aborted) return lacking;
    await sleep(LOOK_MS * 10);
  }
}

/** Waits until presence must be true, so long after nothing has changed any more, and asks HTTP for it too. */
export async function checkPresence(
  { actors, rooms, recorder, http }: FinishDeps,
  { afterMs, since }: { afterMs: number; since: number },
): Promise<void> {
  await sleep(Math.max(0, afterMs - (recorder.now() - since)));
  recorder.flush();
  recorder.write({ kind: "presence_due" });
  for (const room of rooms) {
    const token = await tokenFor(http, actors, room);
    const { body } = token === undefined ? { body: undefined } : await http.readPresence(token, room);
    if (body === undefined) continue;
    const online = body.members.flatMap(({ userId, status }) => (status === "online" ? [userId] : []));
    recorder.write({ kind: "roster", room, online });
  }
}

/** Reads everything that is kept, from both ends. */
export async function readEverything(deps: FinishDeps): Promise<void> {
  const { actors, rooms, recorder, http, watch } = deps;
  await noteRefused(deps);
  for (const room of rooms) {
    const told = await readHttp(http, actors, room);
    if (told !== undefined) write(recorder, room, "http", told);
    const rows = await attempt(() => watch.readRows(room));
    if (rows !== undefined) write(recorder, room, "postgres", rows);
  }
}

/** Which messages each of these faults was about, of all that anybody has ever seen. */
async function noteRefused({ recorder, watch, refusals }: FinishDeps): Promise<void> {
  const all = recorder.entries.filter((entry) => entry.kind === "message");
  const ids = all.map(({ id }) => id);
  for (const [fault, options] of refusals) {
    const refused = await watch.findRefused(ids, options);
    recorder.write({ kind: "refused_rows", fault, messages: all.flatMap(({ id, n }) => (refused.has(id) ? [n] : [])) });
  }
}

function write(recorder: Recorder, room: string, source: "http" | "postgres", all: readonly VisibleMessage[]): void {
  const messages = all.map((message) => recorder.number(room, message));
  recorder.write({ kind: "history", room, source, messages });
}

async function readHttp(
  http: ChaosHttp,
  actors: readonly Actor[],
  room: string,
): Promise<VisibleMessage[] | undefined> {
  const token = await tokenFor(http, actors, room);
  if (token === undefined) return undefined;
  const messages: VisibleMessage[] = [];
  for (let after: number | null = 0; after !== null;) {
    const query: string = `after=${after}&limit=${PAGE}`;
    const page = await attempt(async () => (await http.readPage(token, room, query)).body);
    if (page === undefined) return undefined;
    messages.push(...page.messages);
    after = page.messages.length === 0 ? null : page.next;
  }
  return messages;
}

async function tokenFor(http: ChaosHttp, actors: readonly Actor[], room: string): Promise<string | undefined> {
  const member = actors.find((actor) => actor.rooms.includes(room));
  if (member === undefined) return undefined;
  return (await attempt(async () => (await http.exchange(member.client.options.user)).body))?.token;
}

async function attempt<Result>(work: () => Promise<Result | undefined>): Promise<Result | undefined> {
  for (let tries = 0; tries < ATTEMPTS; tries++) {
    const result = await work().catch(() => undefined);
    if (result !== undefined) return result;
    await sleep(LOOK_MS * 3);
  }
  return undefined;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
