import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { buildOpenApi } from "../../functions/openapi.ts";
import { ROUTES } from "../../functions/routes.ts";
import { PROJECT_DIR } from "../../dev/project.ts";
import { buildPage, type Files, type PageScripts } from "./page.ts";
import { formatHeaders, type PageAccess } from "./security-headers.ts";

const DOCS = "api/chats/docs";
const SWAGGER_FILES = [
  "swagger-ui.css",
  "swagger-ui-bundle.js",
  "swagger-ui-bundle.js.LICENSE.txt",
  "LICENSE",
  "NOTICE",
  "favicon-32x32.png",
];

/**
 * Writes everything the Worker serves as files: the page, the docs with Swagger UI, the OpenAPI document and the headers
 * they are served with. Files that are the same stay untouched, others are replaced whole, so a running server never
 * sees half of one.
 *
 * @returns How many files there are, and what the page's scripts weigh.
 */
export async function buildAssets(
  outDir: string,
  access: PageAccess,
): Promise<{ count: number; scripts: PageScripts }> {
  const page = await buildPage();
  const files: Files = new Map([["_headers", formatHeaders(access)], ...page.files]);
  await addDocs(files);
  files.set("api/chats/openapi.json", openApiJson());
  // Drafts are made next to the folder, not in it: another build must not take them for old files.
  const drafts = `${outDir}.drafts-${randomUUID()}`;
  await mkdir(drafts, { recursive: true });
  for (const [path, content] of files) await writeWhole(join(outDir, path), Buffer.from(content), drafts);
  for (const path of await listFiles(outDir)) if (!files.has(path)) await rm(join(outDir, path), { force: true });
  await rm(drafts, { recursive: true });
  return { count: files.size, scripts: page.scripts };
}

/** The docs have an address of their own, where older systems had theirs. */
async function addDocs(files: Files): Promise<void> {
  const web = join(PROJECT_DIR, "web");
  files.set(`${DOCS}.html`, await readFile(join(web, "docs.html")));
  for (const name of await readdir(join(web, "docs"))) {
    files.set(`${DOCS}/${name}`, await readFile(join(web, "docs", name)));
  }
  const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  for (const name of SWAGGER_FILES) files.set(`${DOCS}/${name}`, await readFile(join(swagger, name)));
}

function openApiJson(): string {
  return `${JSON.stringify(buildOpenApi(ROUTES), undefined, 2)}\n`;
}

async function writeWhole(file: string, content: Buffer, drafts: string): Promise<void> {
  const before = await readFile(file).catch(() => undefined);
  if (before?.equals(content) === true) return;
  await mkdir(dirname(file), { recursive: true });
  const draft = join(drafts, randomUUID());
  await writeFile(draft, content);
  await rename(draft, file);
}

async function listFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
}
