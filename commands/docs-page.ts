import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { buildOpenApi } from "../functions/openapi.ts";
import { ROUTES } from "../functions/routes.ts";

const PAGE_DIR = join(import.meta.dirname, "../web/docs");
const SWAGGER_UI_DIR = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

/**
 * Writes what `GET /api/chats/docs` and `GET /api/chats/openapi.json` serve into a folder of static files: the page, and
 * Swagger UI with it, so that no other host is asked for anything.
 */
export async function writeDocsPage(assetsDir: string): Promise<void> {
  const base = join(assetsDir, "api/chats");
  const files = join(base, "docs");
  await mkdir(files, { recursive: true });
  await Promise.all([
    writeFile(join(base, "openapi.json"), `${JSON.stringify(buildOpenApi(ROUTES), undefined, 2)}\n`),
    copyFile(join(PAGE_DIR, "index.html"), join(base, "docs.html")),
    ...["page.css", "start.js"].map((name) => copyFile(join(PAGE_DIR, name), join(files, name))),
    ...["swagger-ui.css", "swagger-ui-bundle.js"].map((name) =>
      copyFile(join(SWAGGER_UI_DIR, name), join(files, name)),
    ),
  ]);
}
