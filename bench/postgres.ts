import { type ChildProcess, execFile, spawn } from "node:child_process";
import { globSync } from "node:fs";
import { access, chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { openDatabase } from "../dev/database.ts";
import { freePort } from "../dev/free-port.ts";
import { openPostgresDoor } from "../dev/postgres-door.ts";

export interface BenchPostgres {
  databaseUrl: string;
  /** What it is, for the report. */
  kind: string;
  close(): Promise<void>;
}

// Postgres refuses to run as root; the numbers are those of "nobody".
const NOBODY = { uid: 65_534, gid: 65_534 };
const START_LIMIT_MS = 30_000;

/**
 * The Postgres that `DATABASE_URL` names, else one started for the benchmark from the binaries on this machine, as its
 * package sets it up, else the one of the local stack.
 */
export async function openBenchPostgres(): Promise<BenchPostgres> {
  const databaseUrl = process.env["DATABASE_URL"];
  if (databaseUrl !== undefined) return { databaseUrl, kind: "the Postgres of DATABASE_URL", close: async () => {} };
  const binaries = await findBinaries();
  return binaries === undefined ? await openLocalPostgres() : await startPostgres(binaries);
}

interface Binaries {
  initdb: string;
  postgres: string;
}

async function findBinaries(): Promise<Binaries | undefined> {
  const packaged = globSync("/usr/lib/postgresql/*/bin").toSorted().toReversed();
  for (const dir of [...(process.env["PATH"] ?? "").split(delimiter), ...packaged]) {
    const found = { initdb: join(dir, "initdb"), postgres: join(dir, "postgres") };
    const isThere = await Promise.all([access(found.initdb), access(found.postgres)]).then(
      () => true,
      () => false,
    );
    if (isThere) return found;
  }
  return undefined;
}

async function startPostgres({ initdb, postgres }: Binaries): Promise<BenchPostgres> {
  const user = userInfo().uid === 0 ? NOBODY : undefined;
  const dir = await mkdtemp(join(tmpdir(), "parley-bench-"));
  if (user !== undefined) await chown(dir, user.uid, user.gid);
  const data = join(dir, "data");
  const options = { ...user, cwd: dir, env: { ...process.env, HOME: dir, LC_ALL: "C" } };
  await promisify(execFile)(initdb, ["-D", data, "-U", "postgres", "-A", "trust"], options);
  const port = await freePort();
  const args = ["-D", data, "-p", String(port), "-k", dir, "-c", "listen_addresses=127.0.0.1"];
  const child = spawn(postgres, args, { ...options, stdio: "ignore" });
  const databaseUrl = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  await untilReady(child, databaseUrl);
  const { stdout } = await promisify(execFile)(postgres, ["--version"], options);
  return {
    databaseUrl,
    kind: `${stdout.trim()}, started for this`,
    close: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGINT"); // Postgres' fast shutdown
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function untilReady(child: ChildProcess, databaseUrl: string): Promise<void> {
  for (const until = Date.now() + START_LIMIT_MS; ;) {
    const client = new pg.Client({ connectionString: databaseUrl });
    const failure = await client.connect().then(
      () => client.end(),
      (error: unknown) => error,
    );
    if (failure === undefined) return;
    if (child.exitCode !== null || Date.now() > until) throw new Error("Postgres did not start", { cause: failure });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function openLocalPostgres(): Promise<BenchPostgres> {
  const database = await openDatabase();
  const door = await openPostgresDoor(database, { password: "bench" });
  return {
    databaseUrl: door.databaseUrl,
    kind: "PGlite, because DATABASE_URL is not set and there is no initdb here; not the real thing",
    close: async () => {
      await door.close();
      await database.close();
    },
  };
}
