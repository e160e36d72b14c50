import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeStackFile } from "../../dev/stack-file.ts";
import { createKeyRing, verifyApiKey } from "../../domain/api-keys.ts";
import { createPostgresStore } from "../../db/postgres-store.ts";
import { openLocalDatabase, type TestDatabase } from "./databases.ts";

interface Outcome {
  code: number;
  out: string;
  err: string;
}

const PROJECT = new URL("../../", import.meta.url);

/** Runs a command as its npm script does, with nothing of this shell's settings. */
function run(command: "key" | "migrate", args: string[], variables: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd: PROJECT, env: { PATH: process.env["PATH"], ...variables } };
    execFile(process.execPath, [`commands/${command}.ts`, ...args], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

let database: TestDatabase;
let dataDir: string;
beforeAll(async () => {
  database = await openLocalDatabase();
  dataDir = await mkdtemp(join(tmpdir(), "parley-commands-"));
  await writeStackFile(dataDir, {
    pid: process.pid,
    apiUrl: "http://127.0.0.1:1",
    wsUrl: "ws://127.0.0.1:1/ws",
    partyUrl: "http://127.0.0.1:2",
    issuer: "http://127.0.0.1:3",
    apiKey: "unused",
    databaseUrl: database.databaseUrl,
    neonFetchEndpoint: database.fetchEndpoint,
    redisRestUrl: "http://127.0.0.1:4",
    redisRestToken: "unused",
    chatJwtSecret: "unused",
  });
}, 60_000);
afterAll(async () => {
  await database.close();
  await rm(dataDir, { recursive: true });
});

// One after the other: the tables come first.
describe("npm run db:migrate", () => {
  it("migrates the Postgres that DATABASE_URL names, through a bridge of its own", async () => {
    const outcome = await run("migrate", ["--json"], { DATABASE_URL: database.databaseUrl });
    expect(outcome).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(outcome.out)).toEqual({
      database: expect.stringMatching(/^127\.0\.0\.1:\d+\/postgres$/),
      applied: expect.arrayContaining(["0000_start"]),
    });
  });

  it("finds the running stack's database, and nothing left to do", async () => {
    const outcome = await run("migrate", ["--data", dataDir]);
    expect(outcome).toEqual({ code: 0, out: `Nothing to do: the local stack on ${dataDir} is up to date\n`, err: "" });
  });

  it.each([
    ["no stack runs and no database is named", [], {}, "No database: set DATABASE_URL"],
    ["the address is not Postgres'", [], { DATABASE_URL: "mysql://a:canary@b/c" }, "Cannot use DATABASE_URL: must be"],
    ["nobody listens there", [], { DATABASE_URL: "postgres://a:canary@127.0.0.1:1/c" }, "ECONNREFUSED"],
  ])("fails with 1 and says why when %s", async (_, args, variables, text) => {
    const outcome = await run("migrate", [...args, "--data", join(dataDir, "nothing")], variables);
    expect(outcome).toMatchObject({ code: 1, out: "" });
    expect(outcome.err).toContain(text);
    expect(outcome.err).not.toContain("canary");
  });

  it("fails with 1 when the password is wrong, without repeating it", async () => {
    const wrong = database.databaseUrl.replace("local-password", "canary-password");
    const outcome = await run("migrate", [], { DATABASE_URL: wrong, NEON_FETCH_ENDPOINT: database.fetchEndpoint });
    expect(outcome).toMatchObject({ code: 1, err: expect.stringContaining("password authentication failed") });
    expect(outcome.err).not.toContain("canary");
  });

  it("explains itself, and refuses what it does not know with 2", async () => {
    expect(await run("migrate", ["--help"])).toMatchObject({ code: 0, out: expect.stringContaining("Usage: ") });
    expect(await run("migrate", ["--fast"])).toMatchObject({ code: 2, err: expect.stringContaining("--fast") });
  });
});

describe("npm run key", () => {
  const key = (...args: string[]) => run("key", [...args, "--data", dataDir]);
  const holderOf = (raw: string) => {
    const store = createPostgresStore(database);
    return verifyApiKey(createKeyRing({ store, environment: "development", now: Date.now }), raw);
  };

  it("makes a key that works, and shows it once", async () => {
    const { code, out, err } = await key("create", "--app", "demo");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^chatsdk_live_[a-z0-9]{12}_[A-Za-z0-9-]{43}\n$/);
    const { app, keyId } = await holderOf(out.trim());
    expect(app).toBe("demo");
    const secret = out.trim().slice(-43);
    const [row] = await database.query("select * from api_keys where id = $1", [keyId]);
    expect(JSON.stringify(row)).not.toContain(secret);
    const listed = await key("list", "--app", "demo");
    expect(listed.out).toContain(keyId);
    expect(listed.out).toMatch(/demo +live +\d{4}-.*Z +active/);
    expect(listed.out).not.toContain(secret);
    expect(listed.out).not.toContain(row?.["hash"]);
  });

  it("makes a test key and says all about it in JSON", async () => {
    const { out } = await key("create", "--app", "demo", "--env", "test", "--json");
    const made = JSON.parse(out) as Record<string, string>;
    expect(made).toEqual({
      key: expect.stringMatching(/^chatsdk_test_/),
      id: made["key"]?.split("_")[2],
      app: "demo",
      environment: "test",
      createdAt: expect.any(String),
      revokedAt: null,
    });
  });

  it("revokes a key by its id or by itself, once", async () => {
    const made = JSON.parse((await key("create", "--app", "other", "--json")).out) as { key: string; id: string };
    expect(await key("revoke", made.key)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`Revoked ${made.id}`),
    });
    await expect(holderOf(made.key)).rejects.toMatchObject({ code: "invalid_api_key" });
    expect(await key("revoke", made.id)).toMatchObject({ code: 1, err: `Key ${made.id} is revoked already\n` });
    const listed = JSON.parse((await key("list", "--app", "other", "--json")).out) as unknown[];
    expect(listed).toEqual([
      { id: made.id, app: "other", environment: "live", createdAt: expect.any(String), revokedAt: expect.any(String) },
    ]);
    expect(await key("revoke", "abcdefghijkl")).toMatchObject({ code: 1, err: "There is no key abcdefghijkl\n" });
    expect(await key("list", "--app", "nobody")).toMatchObject({ code: 0, out: "No keys\n" });
  });

  it.each([
    [[], "say create, list or revoke"],
    [["make"], 'Cannot "make"'],
    [["create"], "without --app"],
    [["create", "--app", "Demo"], 'Cannot read --app "Demo"'],
    [["create", "--app", "demo", "--env", "prod"], 'Cannot read --env "prod"'],
    [["create", "demo"], 'Cannot take "demo"'],
    [["list", "--env", "live"], 'Cannot take --env with "list"'],
    [["revoke"], "without a key's id"],
    [["revoke", "'; drop table api_keys"], "must be 12 of a-z and 0-9"],
    [["revoke", "abcdefghijkl", "more"], 'Cannot take "more"'],
    [["list", "--all"], "--all"],
  ])("refuses %j with 2 and says why", async (args, text) => {
    const outcome = await key(...args);
    expect(outcome).toMatchObject({ code: 2, out: "" });
    expect(outcome.err).toContain(text);
    expect(outcome.err).toContain("npm run key -- --help");
  });

  it("explains itself", async () => {
    expect(await run("key", ["--help"])).toMatchObject({ code: 0, out: expect.stringContaining("Usage: "), err: "" });
  });
});
