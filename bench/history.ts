import pg from "pg";
import { selectEvents } from "../db/history.ts";
import { readMigrations } from "../db/migrations.ts";
import { AppId, ChannelId } from "../protocol/ids.ts";
import { median } from "./load.ts";
import { openBenchPostgres } from "./postgres.ts";

const APP = AppId.parse("bench");
const CHANNEL = ChannelId.parse("million");
const MESSAGES = 1_000_000;
const PAGE = 50;
const WARM_UP = 50;
const ROUNDS = 500;
/** An OFFSET page takes so long that a few of them tell enough. */
const OFFSET_EVERY = 20;
const GOAL = 1.5;

/**
 * What a history page deep inside a channel of a million messages costs, next to the newest page and to the same page by
 * OFFSET. The statements are the store's own. Pages are read in turn, the deep ones anywhere in the older half, so that a
 * machine that slows down slows all of them.
 */
export async function benchHistory(): Promise<void> {
  const postgres = await openBenchPostgres();
  const client = new pg.Client({ connectionString: postgres.databaseUrl });
  const schema = `parley_bench_${crypto.randomUUID().replaceAll("-", "")}`;
  try {
    await client.connect();
    console.log(`${MESSAGES.toLocaleString("en")} messages in one channel, ${postgres.kind}`);
    await fill(client, schema);
    await measure(client, WARM_UP);
    report(await measure(client, ROUNDS));
  } finally {
    // A database that was there before is left as it was.
    await client.query(`drop schema if exists ${schema} cascade`).catch(() => undefined);
    await client.end();
    await postgres.close();
  }
}

async function fill(client: pg.Client, schema: string): Promise<void> {
  process.stderr.write("writing the messages\r");
  await client.query(`create schema ${schema}`);
  await client.query(`set search_path to ${schema}`);
  for (const { statements } of await readMigrations()) for (const text of statements) await client.query(text);
  await client.query(
    `insert into events
       (app, channel_id, seq, epoch, kind, id, user_id, username, client_message_id, content, created_at)
     select $1, $2, seq, 'e1', 'message', gen_random_uuid()::text, 'user-' || seq % 300, 'User ' || seq % 300,
       'client-' || seq, repeat('a message as long as most are ', 1 + (seq % 5)::int),
       timestamptz '2026-01-01' + seq * interval '10 seconds'
     from generate_series(1, $3::bigint) as seq`,
    [APP, CHANNEL, MESSAGES],
  );
  await client.query("analyze events");
}

interface Timings {
  newest: number[];
  deep: number[];
  offset: number[];
}

async function measure(client: pg.Client, rounds: number): Promise<Timings> {
  const timings: Timings = { newest: [], deep: [], offset: [] };
  for (let round = 0; round < rounds; round++) {
    if (round % OFFSET_EVERY === 0) process.stderr.write(`page ${round} of ${rounds}        \r`);
    const before = PAGE + 2 + Math.floor((Math.random() * MESSAGES) / 2);
    timings.newest.push(await timePage(client, selectEvents(APP, CHANNEL, { limit: PAGE }), MESSAGES));
    timings.deep.push(await timePage(client, selectEvents(APP, CHANNEL, { before, limit: PAGE }), before - 1));
    if (round % OFFSET_EVERY === 0) timings.offset.push(await timePage(client, byOffset(before), before - 1));
  }
  return timings;
}

/** The page that ends before `before`, found by counting down from the newest. */
function byOffset(before: number) {
  const { text, params } = selectEvents(APP, CHANNEL, { limit: PAGE });
  return { text: `${text} offset ${MESSAGES - before + 1}`, params };
}

async function timePage(
  client: pg.Client,
  { text, params }: ReturnType<typeof selectEvents>,
  newestSeq: number,
): Promise<number> {
  const startedAt = performance.now();
  const { rows } = await client.query<{ seq: string }>(text, [...params]);
  const ms = performance.now() - startedAt;
  if (rows.length !== PAGE || Number(rows[0]?.seq) !== newestSeq) throw new Error("That was not the page asked for");
  return ms;
}

function report({ newest, deep, offset }: Timings): void {
  console.log(`milliseconds for a page of ${PAGE} (median, lowest, highest)`);
  const line = (name: string, all: number[]) => {
    const shown = [median(all), Math.min(...all), Math.max(...all)].map((ms) => ms.toFixed(2).padStart(9));
    console.log(`  ${name.padEnd(32)} ${shown.join(" ")}`);
  };
  line("the newest page", newest);
  line("a page in the older half", deep);
  line("a page in the older half, OFFSET", offset);
  const ratio = median(deep) / median(newest);
  const verdict = ratio <= GOAL ? "reached" : "MISSED ";
  console.log(`${verdict}  ${"a page deep inside over the newest".padEnd(66)} ${ratio.toFixed(2)}  (at most ${GOAL})`);
}
