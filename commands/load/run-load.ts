import { HistoryPage, TokenReply } from "../../protocol/http.ts";
import * as z from "zod/mini";
import { computeFigures, type Figures } from "./figures.ts";
import type { LoadOptions } from "./options.ts";
import { Talker } from "./talker.ts";

const TICK_MS = 20;
const SETTLE_MS = 15_000;
const LOOK_MS = 100;
const PAGE_SIZE = 200;
const REQUEST_MS = 15_000;
/** Clients that join at the same time. */
const JOIN_BATCH = 10;

export interface Target {
  url: URL;
  apiKey: string;
}

type Amount = Pick<LoadOptions, "clients" | "rooms" | "rate" | "seconds">;

/** Lets clients talk, waits until what they said has settled, and compares what each saw with the history. */
export async function runLoad(target: Target, amount: Amount, progress: (line: string) => void): Promise<Figures> {
  const tokens = new Map<string, string>();
  const talkers: Talker[] = [];
  try {
    progress(`${amount.clients} clients join ${amount.rooms} rooms`);
    await joinAll(target, amount, talkers, tokens);
    progress(`they talk for ${amount.seconds} s, ${amount.rate} messages a second in all`);
    await talk(talkers, amount);
    progress("waiting for the last messages");
    await settle(talkers);
    const closedEarly = talkers.filter(({ closeCode }) => closeCode !== undefined).length;
    const unanswered = talkers.reduce((sum, talker) => sum + talker.unanswered, 0);
    const sent = talkers.reduce((sum, talker) => sum + talker.sent, 0);
    progress("reading the history");
    const rooms = [...Map.groupBy(talkers, ({ roomId }) => roomId)].map(async ([roomId, inRoom]) => {
      const logs = inRoom.map(({ log }) => log);
      const firstSeq = Math.min(...logs.flatMap(({ acked }) => [...acked.values()].map(({ seq }) => seq)));
      return { logs, history: await readHistory(target.url, roomId, tokens.get(roomId) ?? "", firstSeq) };
    });
    return computeFigures(await Promise.all(rooms), { sent, unanswered, closedEarly });
  } finally {
    for (const talker of talkers) talker.close();
  }
}

async function joinAll(target: Target, amount: Amount, talkers: Talker[], tokens: Map<string, string>): Promise<void> {
  const join = async (at: number) => {
    const roomId = `load-${at % amount.rooms}`;
    const { token, wsToken } = await mint(target, `load-${at}`);
    if (!tokens.has(roomId)) {
      tokens.set(roomId, token);
      await createRoom(target.url, roomId, token);
    }
    const talker = new Talker(target.url, wsToken, roomId);
    talkers.push(talker);
    await talker.joined;
  };
  for (let from = 0; from < amount.clients; from += JOIN_BATCH)
    await Promise.all(Array.from({ length: Math.min(JOIN_BATCH, amount.clients - from) }, (_, at) => join(from + at)));
}

/** Sends at an even pace; what a late timer missed is made up, so that the rate holds. */
async function talk(talkers: readonly Talker[], { rate, seconds }: Amount): Promise<void> {
  const total = rate * seconds;
  const startedAt = performance.now();
  for (let said = 0; said < total; await sleep(TICK_MS)) {
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) / 1_000) * rate));
    for (; said < due; said++) talkers[said % talkers.length]?.say();
  }
}

/** Ends when everything sent is answered and everybody in a room has heard as much as was acked there, or time is up. */
async function settle(talkers: readonly Talker[]): Promise<void> {
  const rooms = [...Map.groupBy(talkers, ({ roomId }) => roomId).values()];
  const isSettled = () =>
    talkers.every(({ unanswered, closeCode }) => unanswered === 0 || closeCode !== undefined) &&
    rooms.every((inRoom) => {
      const acked = inRoom.reduce((sum, { log }) => sum + log.acked.size, 0);
      return inRoom.every(({ log, closeCode }) => log.heard.length >= acked || closeCode !== undefined);
    });
  for (let waited = 0; waited < SETTLE_MS && !isSettled(); waited += LOOK_MS) await sleep(LOOK_MS);
}

async function mint({ url, apiKey }: Target, userId: string): Promise<TokenReply> {
  const headers = { "x-api-key": apiKey, "content-type": "application/json" };
  const answer = await ask(new URL("/v1/tokens", url), { method: "POST", headers, body: JSON.stringify({ userId }) });
  return TokenReply.parse(answer);
}

// Where rooms are not made by joining them, somebody has to; that somebody else has is as good.
async function createRoom(url: URL, channelId: string, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  await ask(new URL("/v1/channels", url), { method: "POST", headers, body: JSON.stringify({ channelId }) }, [409]);
}

async function readHistory(url: URL, roomId: string, token: string, firstSeq: number): Promise<string[]> {
  const ids: string[] = [];
  for (let after: number | null = firstSeq - 1; after !== null && Number.isFinite(after);) {
    const address: URL = new URL(`/v1/channels/${roomId}/messages?after=${after}&limit=${PAGE_SIZE}`, url);
    const page: HistoryPage = HistoryPage.parse(await ask(address, { headers: { authorization: `Bearer ${token}` } }));
    ids.push(...page.messages.map(({ messageId }) => messageId));
    after = page.messages.length === 0 ? null : page.next;
  }
  return ids;
}

async function ask(url: URL, init: RequestInit, allowed: readonly number[] = []): Promise<unknown> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_MS) });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok || allowed.includes(response.status)) return answer;
  const code = z.safeParse(z.object({ code: z.string() }), answer).data?.code ?? "no code";
  throw new Error(`${init.method ?? "GET"} ${url.pathname} answered ${response.status} (${code})`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
