import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import * as z from "zod";
import { PROJECT_DIR } from "./project.ts";

/** Opens the local database in `dir` or, without one, in memory. */
export async function openDatabase(dir?: string): Promise<PGlite> {
  if (dir === undefined) return await PGlite.create({ loadDataDir: await emptyCluster() });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return await PGlite.create(dir);
}

/** Making a cluster takes seconds, loading one half a second, so the empty one is made once per version of PGlite. */
async function emptyCluster(): Promise<Blob> {
  const file = await clusterFile();
  const cached = await readFile(file).catch(() => undefined);
  if (cached !== undefined) return new Blob([cached]);
  const database = await PGlite.create();
  const cluster = await database.dumpDataDir("none");
  await database.close();
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${crypto.randomUUID()}`;
  await writeFile(draft, Buffer.from(await cluster.arrayBuffer()));
  await rename(draft, file);
  return cluster;
}

async function clusterFile(): Promise<string> {
  const manifest = await readFile(join(PROJECT_DIR, "node_modules/@electric-sql/pglite/package.json"), "utf8");
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(manifest));
  return join(PROJECT_DIR, "node_modules/.cache/parley", `empty-cluster-${version}.tar`);
}
