import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";
import { PROJECT_DIR } from "../../dev/project.ts";

/** Files as they are published: the path, and what is in it. */
export type Files = Map<string, Buffer | string>;

const WEB = join(PROJECT_DIR, "web");
const AS_THEY_ARE = ["index.html", "status.html", "favicon.svg"];
// What light-dark(), :has() and field-sizing's fallbacks need; a browser of the last two years.
const BROWSERS = ["chrome123", "firefox121", "safari17.5"];

/** The chat and its status page: two documents, each with its own script; what both need is a third file, kept by browsers. */
export async function buildPage(): Promise<{ files: Files; scripts: PageScripts }> {
  const files: Files = new Map();
  for (const name of AS_THEY_ARE) files.set(name, await readFile(join(WEB, name)));
  const { outputFiles, metafile } = await build({
    absWorkingDir: PROJECT_DIR,
    entryPoints: {
      chat: "web/chat/main.tsx",
      status: "web/status/main.tsx",
      theme: "web/theme/first-paint.ts",
      style: "web/style/index.css",
    },
    outdir: join(WEB, "app"),
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: BROWSERS,
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    chunkNames: "shared-[hash]",
    // React's notice is in the file itself.
    legalComments: "inline",
    logLevel: "error",
  });
  for (const { path, contents } of outputFiles) files.set(relative(WEB, path), Buffer.from(contents));
  return { files, scripts: measure(files, metafile) };
}

/** Bytes of script that a first visit loads, gzipped. */
export interface PageScripts {
  chat: number;
  status: number;
}

function measure(files: Files, { outputs }: Metafile): PageScripts {
  const weightOf = (entry: string) =>
    [...loadedBy(entry, outputs)].reduce((sum, path) => sum + gzipped(files.get(path.replace(/^web\//, ""))), 0);
  return { chat: weightOf("web/app/chat.js"), status: weightOf("web/app/status.js") };
}

function loadedBy(path: string, outputs: Metafile["outputs"], seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const { path: next, kind } of outputs[path]?.imports ?? [])
    if (kind === "import-statement") loadedBy(next, outputs, seen);
  return seen;
}

function gzipped(content: Buffer | string | undefined): number {
  if (content === undefined) throw new Error("A script that the page loads was not built");
  return gzipSync(content, { level: 9 }).length;
}
