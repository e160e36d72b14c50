import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { findBinary, requireBinary } from "./binaries.ts";
import { freePort } from "../../dev/free-port.ts";

const NOBODY = { uid: 65_534, gid: 65_534 };
const READY_TIME_LIMIT_MS = 20_000;

export interface RealPostgres {
  databaseUrl: string;
  stop(): Promise<void>;
}

/** Why a real Postgres cannot be started on this machine; undefined when it can. */
export function reasonForNoPostgres(): string | undefined {
  const missing = ["initdb", "postgres"].filter((name) => findBinary(name) === undefined);
  return missing.length === 0 ? undefined : `no ${missing.join(" and no ")} on the PATH`;
}

/** Starts a Postgres of its own, empty, on a free port; as another user when the tests run as root, which it refuses. */
export async function startRealPostgres(): Promise<RealPostgres> {
  const user = userInfo().uid === 0 ? NOBODY : undefined;
  const dir = await mkdtemp(join(tmpdir(), "parley-postgres-"));
  if (user !== undefined) await chown(dir, user.uid, user.gid);
  const dataDir = join(dir, "data");
  const options = { ...user, cwd: dir, env: { ...process.env, HOME: dir, LC_ALL: "C" } };
  await promisify(execFile)(requireBinary("initdb"), ["-D", dataDir, "-U", "postgres", "-A", "trust", "-N"], options);
  const port = await freePort();
  const args = ["-D", dataDir, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-k", dir, "-c", "fsync=off"];
  const child = spawn(requireBinary("postgres"), args, { ...options, stdio: "ignore" });
  const databaseUrl = `postgresql://postgres:local@127.0.0.1:${port}/postgres`;
  await untilReady(child, databaseUrl);
  return {
    databaseUrl,
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGINT"); // Postgres' fast shutdown
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function untilReady(child: ChildProcess, databaseUrl: string): Promise<void> {
  const until = Date.now() + READY_TIME_LIMIT_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: databaseUrl });
    const failure = await client.connect().then(
      () => undefined,
      (error: unknown) => error,
    );
    await client.end().catch(() => undefined);
    if (failure === undefined) return;
    if (child.exitCode !== null || Date.now() > until) throw new Error("Postgres did not start", { cause: failure });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
