import { parseArgs } from "node:util";
import { migrate } from "../db/migrate.ts";
import { type CommandDatabase, describeFailure, openCommandDatabase } from "./database.ts";

const HELP = `Usage: npm run db:migrate [-- OPTIONS]

Brings the database up to this version's schema: the one DATABASE_URL names (Neon or any other Postgres), else the
running local stack's. Each migration is applied whole or not at all; it is safe to run this twice, or in two places
at once.

  --data DIR   where the local stack keeps its data (default .data)
  --json       prints {"database","applied"} for machines
  --help       this text`;

await main();

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  let database: CommandDatabase | undefined;
  try {
    database = await openCommandDatabase(options.data);
    const applied = await migrate(database);
    if (options.json === true) console.log(JSON.stringify({ database: database.name, applied }));
    else console.log(describe(applied, database.name));
  } catch (error) {
    console.error(describeFailure(error, database?.name ?? ""));
    process.exitCode = 1;
  } finally {
    await database?.close();
  }
}

function describe(applied: readonly string[], name: string): string {
  if (applied.length === 0) return `Nothing to do: ${name} is up to date`;
  return [...applied.map((migration) => `Applied ${migration}`), `${name} is up to date`].join("\n");
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        data: { type: "string", default: ".data" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help !== true) return values;
    console.log(HELP);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}; see npm run db:migrate -- --help`);
    process.exitCode = 2;
  }
  return undefined;
}
