import pg from "pg";
import type { Fault, Grounds } from "./injected.ts";

const PROBE_USER = "chaos-probe";

/**
 * The database refuses single rows of a room's log: which ones, their ids and the seed decide. A sequence counts them,
 * because it keeps its value when the transaction is undone.
 */
export const postgresRefusesRows: Fault = async ({ stack }, { seed, share }) => {
  await query(
    stack.databaseUrl,
    `drop trigger if exists chaos_refuse on events;
     drop sequence if exists chaos_refused;
     create sequence chaos_refused;
     create or replace function chaos_refuse() returns trigger language plpgsql as $$
     begin
       if ${refusesRow("new.id", seed, share)}
         and not exists (select from events e where e.app = new.app and e.channel_id = new.channel_id and e.seq = new.seq)
       then
         perform nextval('chaos_refused');
         raise exception 'This row is refused' using errcode = 'check_violation';
       end if;
       return new;
     end $$;
     create trigger chaos_refuse before insert on events for each row execute function chaos_refuse();`,
  );
  return async () => {
    const rows = await query(
      stack.databaseUrl,
      `drop trigger if exists chaos_refuse on events;
       select case when is_called then last_value else 0 end as count from chaos_refused`,
    );
    return { hits: Number(rows[0]?.["count"] ?? 0), what: "times a row was refused" };
  };
};

/** The condition, in SQL, under which the row with this id is one that is refused. */
export function refusesRow(id: string, seed: number, share = 0.02): string {
  return `(hashtext(${id} || '${Math.trunc(seed)}') & 65535) < ${Math.round(share * 65_536)}`;
}

/** The identity provider signs with a key nobody has seen, and does not answer who asks for it. */
export const issuerDown: Fault = async (grounds, { seed }) => {
  const { stack, proxies } = grounds;
  const rule = await proxies.impose({ hops: ["issuer"], share: 1, seed, do: "refuse" });
  await stack.rotateIssuerKeys();
  await signIn(grounds);
  return async () => ({ hits: await proxies.lift(rule), what: "requests for the key set refused" });
};

/** The identity provider signs with a new key from now on. */
export const issuerRotates: Fault = async (grounds) => {
  const before = await keySetsServed(grounds);
  await grounds.stack.rotateIssuerKeys();
  await signIn(grounds);
  return async () => {
    // A Worker that has just fetched the set waits before it does so again: then this meets the key somewhat later.
    if ((await keySetsServed(grounds)) === before) await signIn(grounds);
    return { hits: (await keySetsServed(grounds)) - before, what: "key sets fetched anew" };
  };
};

/** Somebody signs in, so that the Worker meets the new key; whether it lets them in is not the question here. */
async function signIn({ stack, clock }: Grounds): Promise<void> {
  const authorization = `Bearer ${await clock.session(PROBE_USER)}`;
  await fetch(`${stack.apiUrl}/v1/token`, {
    method: "POST",
    headers: { authorization },
    signal: AbortSignal.timeout(5_000),
  }).catch(() => undefined);
}

async function keySetsServed({ proxies }: Grounds): Promise<number> {
  const answers = await proxies.answers();
  return answers.filter(({ hop }) => hop === "issuer").reduce((sum, { count }) => sum + count, 0);
}

async function query(databaseUrl: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const results: unknown = await client.query(text);
    const last = Array.isArray(results) ? (results as pg.QueryResult[]).at(-1) : (results as pg.QueryResult);
    return (last?.rows ?? []) as Record<string, unknown>[]; // rows as objects, which is the driver's default
  } finally {
    await client.end();
  }
}
