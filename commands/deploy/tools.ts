import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPartyConfig } from "../../dev/party-config.ts";
import { PROJECT_DIR } from "../../dev/project.ts";
import { DeployError, type Names, type Plan } from "./plan.ts";

const WRANGLER = join(PROJECT_DIR, "node_modules/wrangler/bin/wrangler.js");
const PARTYKIT = join(PROJECT_DIR, "node_modules/partykit/dist/bin.mjs");

type Environment = Record<string, string | undefined>;

/** What the two platforms know the project as, from their own configuration files. */
export async function readNames(): Promise<Names> {
  const toml = await readFile(join(PROJECT_DIR, "wrangler.toml"), "utf8");
  const worker = /^name\s*=\s*"([^"]+)"/m.exec(toml)?.[1];
  if (worker === undefined) throw new DeployError("wrangler.toml has no name");
  return { worker, rooms: (await readPartyConfig()).name };
}

/** Runs the project's own build: the checks of both bundles, and the pages. */
export async function build(): Promise<void> {
  await run("The build", [join(PROJECT_DIR, "commands/build.ts")], {}, []);
}

/** Deploys the rooms. Settings go through a file that only its owner can read, for the length of the upload. */
export async function deployRooms(plan: Plan, environment: Environment): Promise<void> {
  await withSecretFile({ ...(await readPartyConfig()), vars: plan.rooms }, async (file) => {
    const preview = plan.preview === undefined ? [] : ["--preview", plan.preview];
    const args = [PARTYKIT, "deploy", "--config", file, "--with-vars", ...preview];
    await run("Deploying the rooms", args, { ...environment, NO_UPDATE_NOTIFIER: "1" }, Object.values(plan.rooms));
  });
}

/** Deploys the Worker, or uploads a version of it under the preview's name. @returns What wrangler wrote. */
export async function deployWorker(plan: Plan, environment: Environment, dryRun: boolean): Promise<string> {
  const { vars, secrets } = plan.worker;
  return withSecretFile(secrets, async (file) => {
    const command = plan.preview === undefined ? ["deploy"] : ["versions", "upload", "--preview-alias", plan.preview];
    const settings = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
    const args = [
      WRANGLER,
      ...command,
      "--minify",
      "--secrets-file",
      file,
      ...settings,
      ...(dryRun ? ["--dry-run"] : []),
    ];
    const quiet = { WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", WRANGLER_WRITE_LOGS: "false" };
    // Wrangler has the page built (wrangler.toml), and these two say whether Clerk's script may be in it.
    const { CLERK_JWT_ISSUER, CLERK_PUBLISHABLE_KEY } = vars;
    const page = { CLERK_JWT_ISSUER, CLERK_PUBLISHABLE_KEY };
    return run("Deploying the Worker", args, { ...environment, ...page, ...quiet }, Object.values(secrets));
  });
}

async function withSecretFile<Result>(content: unknown, use: (file: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "parley-deploy-"));
  try {
    const file = join(folder, "settings.json");
    await writeFile(file, JSON.stringify(content), { mode: 0o600 });
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a Node program. What it wrote is shown only when it failed, with every secret taken out. */
async function run(
  what: string,
  args: readonly string[],
  environment: Environment,
  secrets: string[],
): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: PROJECT_DIR, env: { ...process.env, ...environment } });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const output = hide(Buffer.concat(chunks).toString("utf8"), secrets);
  if (code !== 0) throw new DeployError(`${what} failed:\n${output.trimEnd()}`);
  return output;
}

function hide(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 8)
    .reduce((shown, secret) => shown.replaceAll(secret, "[secret]"), text);
}
