import { parseArgs } from "node:util";
import { createPostgresStore } from "../db/postgres-store.ts";
import { createApiKey, type KeyEnvironment, parseApiKey } from "../domain/api-keys.ts";
import type { ApiKeyRecord, KeyStore } from "../domain/ports/api-keys.ts";
import { AppId } from "../protocol/ids.ts";
import { type CommandDatabase, describeFailure, openCommandDatabase } from "./database.ts";
import { UsageError } from "./arguments.ts";

const HELP = `Usage: npm run key -- create --app APP [--env live|test]
       npm run key -- list [--app APP]
       npm run key -- revoke ID

Makes, lists and revokes the API keys with which an app's server calls Parley. A key is shown once, when it is made;
only its hash is kept. Works on the database DATABASE_URL names, else on the running local stack's.

  --app APP    the app the key belongs to: a-z, 0-9 and "-", at most 32 characters
  --env ENV    "live" (default), or "test": refused in production
  --data DIR   where the local stack keeps its data (default .data)
  --json       the same for machines
  --help       this text

A revoked key stops working within a minute. ID is the part between the second and the third "_" of the key.`;

type Task = (keys: KeyStore) => Promise<{ shown: string; json: unknown }>;

await main();

async function main(): Promise<void> {
  let database: CommandDatabase | undefined;
  try {
    const { values, positionals } = readOptions();
    if (values.help === true) return console.log(HELP);
    const task = readTask(positionals, values);
    database = await openCommandDatabase(values.data);
    const { shown, json } = await task(createPostgresStore(database));
    console.log(values.json === true ? JSON.stringify(json) : shown);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    console.error(
      isUsage ? `${error.message}; see npm run key -- --help` : describeFailure(error, database?.name ?? ""),
    );
    process.exitCode = isUsage ? 2 : 1;
  } finally {
    await database?.close();
  }
}

type Options = ReturnType<typeof readOptions>["values"];

function readOptions() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        app: { type: "string" },
        env: { type: "string" },
        data: { type: "string", default: ".data" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws {UsageError} when the arguments do not fit together. */
function readTask([verb = "", ...rest]: string[], options: Options): Task {
  const refuse = (...names: ("app" | "env")[]) => {
    const given = names.find((name) => options[name] !== undefined);
    if (given !== undefined) throw new UsageError(`Cannot take --${given} with "${verb}"`);
  };
  const [extra] = verb === "revoke" ? rest.slice(1) : rest;
  if (extra !== undefined) throw new UsageError(`Cannot take "${extra}"`);
  switch (verb) {
    case "create":
      if (options.app === undefined) throw new UsageError("Cannot create a key without --app");
      return createTask(readApp(options.app), readEnvironment(options.env ?? "live"));
    case "list":
      refuse("env");
      return listTask(options.app === undefined ? undefined : readApp(options.app));
    case "revoke":
      refuse("app", "env");
      return revokeTask(readId(rest[0]));
    case "":
      throw new UsageError("Cannot do nothing: say create, list or revoke");
    default:
      throw new UsageError(`Cannot "${verb}": must be create, list or revoke`);
  }
}

function readApp(raw: string): AppId {
  const { data, error } = AppId.safeParse(raw);
  if (data === undefined) throw new UsageError(`Cannot read --app "${raw}": ${error?.issues[0]?.message}`);
  return data;
}

function readEnvironment(raw: string): KeyEnvironment {
  if (raw !== "live" && raw !== "test") throw new UsageError(`Cannot read --env "${raw}": must be live or test`);
  return raw;
}

function readId(raw: string | undefined): string {
  if (raw === undefined) throw new UsageError("Cannot revoke without a key's id");
  const id = parseApiKey(raw)?.id ?? raw; // whoever has only the key may give it whole
  if (!/^[a-z0-9]{12}$/.test(id)) throw new UsageError("Cannot read the key's id: must be 12 of a-z and 0-9");
  return id;
}

function createTask(app: AppId, environment: KeyEnvironment): Task {
  return async (keys) => {
    const { key, record } = await createApiKey(app, environment, new Date());
    await keys.insertApiKey(record);
    return { shown: key, json: { key, ...listing(record) } };
  };
}

function listTask(app: AppId | undefined): Task {
  return async (keys) => {
    const found = (await keys.listApiKeys(app)).map(listing);
    const rows = found.map(({ id, app: owner, environment, createdAt, revokedAt }) =>
      [id, owner.padEnd(32), environment, createdAt, revokedAt ?? "active"].join("  "),
    );
    return { shown: rows.length === 0 ? "No keys" : rows.join("\n"), json: found };
  };
}

function revokeTask(id: string): Task {
  return async (keys) => {
    const at = new Date();
    if (await keys.revokeApiKey(id, at))
      return { shown: `Revoked ${id}; it stops working within a minute`, json: { id, revokedAt: at.toISOString() } };
    const key = await keys.findApiKey(id);
    throw new Error(key === undefined ? `There is no key ${id}` : `Key ${id} is revoked already`);
  };
}

/** What may be shown of a key: never its hash. */
function listing({ id, app, environment, createdAt, revokedAt }: ApiKeyRecord) {
  return {
    id,
    app,
    environment,
    createdAt: createdAt.toISOString(),
    revokedAt: revokedAt?.toISOString() ?? null,
  };
}
