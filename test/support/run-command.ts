import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const PROJECT_DIR = join(import.meta.dirname, "../..");

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs one of the project's commands as npm would, with no setting of this shell. */
export async function runCommand(
  file: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<CommandResult> {
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...environment };
  // Without "--" Node would take an --env-file that is meant for the command.
  const child = spawn(process.execPath, ["--", join(PROJECT_DIR, file), ...args], { cwd: PROJECT_DIR, env });
  const result = { code: null as number | null, stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (result.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (result.stderr += chunk.toString()));
  await once(child, "close");
  return { ...result, code: child.exitCode };
}
