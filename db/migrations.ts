import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";

const FOLDER = join(import.meta.dirname, "migrations");
const Journal = z.object({ entries: z.array(z.object({ tag: z.string(), when: z.number() })) });

export interface Migration {
  /** The file's name without `.sql`. */
  name: string;
  /** What tells it from all others: when it was generated, in milliseconds since 1970. */
  when: number;
  /** SHA-256 of the file, hex. */
  hash: string;
  statements: string[];
}

/** Reads the migrations that `npm run db:generate` wrote, oldest first. */
export async function readMigrations(): Promise<Migration[]> {
  const journal = Journal.parse(JSON.parse(await readFile(join(FOLDER, "meta/_journal.json"), "utf8")));
  return await Promise.all(
    journal.entries.map(async ({ tag, when }) => {
      const text = await readFile(join(FOLDER, `${tag}.sql`), "utf8");
      const statements = text.split("--> statement-breakpoint").map((statement) => statement.trim());
      return { name: tag, when, hash: createHash("sha256").update(text).digest("hex"), statements };
    }),
  );
}
