import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Lints one made-up file in an empty project that has our configuration, and returns what the lint says about imports. */
async function lintImport(path: string, from: string): Promise<string[]> {
  const file = join(project, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `import { thing } from "${from}";\nexport const used = thing;\n`);
  const output = await runLint(path);
  const report = JSON.parse(output) as { diagnostics: { code: string; message: string; help?: string }[] };
  return report.diagnostics
    .filter(({ code }) => code.includes("no-restricted-imports"))
    .map(({ message, help }) => `${message} ${help ?? ""}`);
}

function runLint(path: string): Promise<string> {
  const oxlint = resolve("node_modules/.bin/oxlint");
  return new Promise((done) => {
    execFile(oxlint, ["--format", "json", path], { cwd: project }, (_failed, stdout) => done(stdout));
  });
}

let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "parley-lint-"));
  const config = JSON.parse(await readFile(".oxlintrc.json", "utf8")) as Record<string, unknown>;
  // The rule needs no types, and the made-up files have none to offer.
  await writeFile(join(project, ".oxlintrc.json"), JSON.stringify({ ...config, options: {} }));
});
afterAll(() => rm(project, { recursive: true }));

describe("import directions", () => {
  it.each([
    ["protocol/a.ts", "../domain/config.ts", "protocol/ imports nothing of ours"],
    ["protocol/a.ts", "node:fs", "not on Node"],
    ["domain/a.ts", "../functions/app.ts", "does not know who calls it"],
    ["domain/room/a.ts", "../../party/room.ts", "does not know who calls it"],
    ["domain/a.ts", "../db/postgres-store.ts", "asks for a port"],
    ["domain/a.ts", "hono", "Only functions/ knows Hono"],
    ["domain/a.ts", "hono/cors", "Only functions/ knows Hono"],
    ["domain/a.ts", "partykit/server", "Only party/ knows PartyKit"],
    ["domain/a.ts", "@upstash/redis", "Only db/ talks to Postgres and Redis"],
    ["functions/app.ts", "../party/room.ts", "never import each other"],
    ["functions/routes/a.ts", "../../party/room.ts", "never import each other"],
    ["functions/routes/a.ts", "../../db/postgres-store.ts", "Only the entry point builds the real store"],
    ["functions/app.ts", "@neondatabase/serverless", "Only db/ talks to Postgres and Redis"],
    ["functions/index.ts", "../party/index.ts", "never import each other"],
    ["functions/app.ts", "../dev/cli.ts", "never imports tooling"],
    ["party/room.ts", "../functions/app.ts", "never import each other"],
    ["party/room.ts", "../db/postgres-store.ts", "Only the entry point builds the real store"],
    ["party/room.ts", "hono", "Only functions/ knows Hono"],
    ["party/room.ts", "../test/support/memory-store.ts", "never imports tooling"],
    ["db/a.ts", "../functions/app.ts", "only implements the ports"],
    ["db/a.ts", "drizzle-orm/neon-http", "drizzle belongs to db/schema.ts"],
    ["web/a.ts", "../domain/config.ts", "imports protocol/ only"],
    ["client/a.ts", "../domain/config.ts", "imports protocol/ only"],
    ["client/react/a.ts", "../../functions/app.ts", "imports protocol/ only"],
    ["client/a.ts", "node:fs", "use what the web platform has"],
    ["dev/a.ts", "../functions/app.ts", "never imports them"],
    ["commands/a.ts", "../party/room.ts", "never imports the rooms"],
    ["functions/app.ts", "cloudflare:workers", "Only an entry point knows the platform"],
    ["functions/a.ts", "zod", "zod/mini"],
    ["functions/a.ts", "hono/jwt", "signed and verified in domain/"],
  ])("refuses %s importing %s", async (path, from, advice) => {
    expect(await lintImport(path, from)).toEqual([expect.stringContaining(advice)]);
  });

  it.each([
    ["domain/a.ts", "../protocol/ids.ts"],
    ["domain/a.ts", "jose"],
    ["functions/routes/a.ts", "../../domain/config.ts"],
    ["functions/routes/a.ts", "hono"],
    ["functions/index.ts", "../db/postgres-store.ts"],
    ["functions/index.ts", "cloudflare:workers"],
    ["party/index.ts", "../db/postgres-store.ts"],
    ["party/people.ts", "../db/postgres-store.ts"],
    ["db/schema.ts", "drizzle-orm/pg-core"],
    ["db/a.ts", "../domain/ports/store.ts"],
    ["web/a.ts", "../protocol/frames.ts"],
    ["client/a.ts", "../protocol/errors.ts"],
    ["client/react/a.ts", "../chat-client.ts"],
    ["test/a.test.ts", "../functions/app.ts"],
  ])("lets %s import %s", async (path, from) => {
    expect(await lintImport(path, from)).toEqual([]);
  });
});
