import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import type { DataDir } from "./data-dir.ts";
import { writePrivateFile } from "./private-file.ts";
import { PROJECT_DIR } from "./project.ts";

export interface PartOptions {
  dataDir: DataDir;
  port: number;
  settings: Record<string, string>;
  logFile: string;
  appendLog: boolean;
  /** What is run; for other code than the project's own. */
  entry?: string | undefined;
  onLine?: ((line: string) => void) | undefined;
}

/** Starts the Worker under `wrangler dev`, with its settings in a file that only its owner can read. */
export async function startWorker(options: PartOptions & { assetsDir: string }): Promise<Child> {
  const { dataDir, port, settings, logFile, appendLog, onLine } = options;
  const entry = options.entry ?? join(PROJECT_DIR, "functions/index.ts");
  const envFile = join(dataDir.state, "worker.env");
  await writePrivateFile(envFile, formatEnv(settings));
  // prettier-ignore
  const args = [
    join(PROJECT_DIR, "node_modules/wrangler/bin/wrangler.js"), "dev", entry,
    "--config", await writeConfig(dataDir), "--assets", options.assetsDir, "--env-file", envFile,
    "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0",
    "--persist-to", join(dataDir.state, "worker"), "--show-interactive-dev-session=false",
  ];
  const environment = {
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_HIDE_BANNER: "true", // and with it the check for updates
    WRANGLER_NO_SKILLS_UPDATE_PROMPTS: "true",
    WRANGLER_LOG_PATH: join(dataDir.path, "logs/wrangler"),
    // Stacks that run side by side must not find each other's Worker under its name.
    WRANGLER_REGISTRY_PATH: join(dataDir.state, "worker-registry"),
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
  };
  return await startChild({ args, environment, logFile, appendLog, onLine });
}

/**
 * The project's wrangler.toml without its build step (the stack has built the page already, for its own addresses), and with
 * paths that hold from where the copy is.
 */
async function writeConfig(dataDir: DataDir): Promise<string> {
  const file = join(dataDir.state, "wrangler.toml");
  const text = await readFile(join(PROJECT_DIR, "wrangler.toml"), "utf8");
  const unbuilt = text.replace(/^\[build\]\n(?:(?!\[).*\n)*/m, "");
  await writePrivateFile(
    file,
    unbuilt.replace(/(?<== )"(\.\/[^"]+)"/g, (_, path: string) => JSON.stringify(join(PROJECT_DIR, path))),
  );
  return file;
}

/** One setting a line, as the dotenv format wants it: quotes that the value does not hold, and no `$` expansion. */
export function formatEnv(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${quote(value.replaceAll("$", "\\$"))}\n`)
    .join("");
}

function quote(value: string): string {
  const mark = ["'", "`", '"'].find((candidate) => !value.includes(candidate)) ?? "'";
  return `${mark}${value}${mark}`;
}
